//! Telling systems of changes: a receiver on loopback that checks signatures and writes down what it is told.

use crate::app::{CLIENT, COUNCIL, Caller, NANBU, TOTTORI_CITY, TestApp, with};
use crate::platforms::platform;
use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use futures_util::future::join_all;
use serde_json::{Value, json};
use server::outbound::{Failure, Network, Reach, Reachable};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use uuid::Uuid;

/// A message as it arrived.
#[derive(Clone, Debug)]
struct Received {
    id: String,
    timestamp: String,
    signatures: String,
    text: String,
    body: Value,
    at: Instant,
}

impl Received {
    /// Is it signed with this secret? (As the specification says: `id.timestamp.body`.)
    fn is_signed(&self, secret: &str) -> bool {
        let key = BASE64
            .decode(secret.strip_prefix("whsec_").expect("a secret"))
            .expect("base64");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let signed = format!("{}.{}.{}", self.id, self.timestamp, self.text);
        self.signatures.split(' ').any(|signature| {
            let tag = signature.strip_prefix("v1,").and_then(|s| BASE64.decode(s).ok());
            tag.is_some_and(|tag| hmac::verify(&key, signed.as_bytes(), &tag).is_ok())
        })
    }

    fn items(&self) -> Vec<Value> {
        self.body["data"]["items"].as_array().cloned().unwrap_or_default()
    }
}

/// Takes messages and answers 204, or what it was told to answer first.
#[derive(Clone)]
struct Receiver {
    url: String,
    journal: Arc<Mutex<Vec<Received>>>,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
}

impl Receiver {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let receiver = Self {
            url: format!("http://{}/hook?key=1", listener.local_addr().expect("it listens")),
            journal: Arc::default(),
            answers: Arc::default(),
        };
        let serving = receiver.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serving.clone().answer(stream));
            }
        });
        receiver
    }

    async fn answer(self, mut stream: TcpStream) {
        let mut request = Vec::new();
        let (head, text) = loop {
            let read = stream.read_buf(&mut request).await.unwrap_or(0);
            if request.first() == Some(&0x16) {
                // A greeting of TLS, which is not spoken here.
                let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
                return;
            }
            let text = String::from_utf8_lossy(&request).into_owned();
            if let Some((head, body)) = text.split_once("\r\n\r\n") {
                let length = header(head, "content-length").parse().unwrap_or(0);
                if body.len() >= length {
                    break (head.to_owned(), body.to_owned());
                }
            }
            if read == 0 {
                return;
            }
        };
        assert!(head.starts_with("POST /hook?key=1 HTTP/1.1\r\n"), "{head}");
        assert_eq!(header(&head, "content-type"), "application/json");
        let answer = self
            .answers
            .lock()
            .expect("answers")
            .pop_front()
            .unwrap_or("204 No Content");
        self.journal.lock().expect("a journal").push(Received {
            id: header(&head, "webhook-id"),
            timestamp: header(&head, "webhook-timestamp"),
            signatures: header(&head, "webhook-signature"),
            body: serde_json::from_str(&text).expect("JSON"),
            text,
            at: Instant::now(),
        });
        match answer {
            "nothing" => tokio::time::sleep(Duration::from_secs(5)).await,
            "endless" => {
                let _ = stream
                    .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n")
                    .await;
                while stream.write_all(&[b'x'; 65536]).await.is_ok() {}
            }
            answer => {
                let answer = format!("HTTP/1.1 {answer}\r\ncontent-length: 0\r\n\r\n");
                let _ = stream.write_all(answer.as_bytes()).await;
            }
        }
    }

    fn will_answer(&self, answers: &[&'static str]) {
        self.answers.lock().expect("answers").extend(answers);
    }

    fn journal(&self) -> Vec<Received> {
        self.journal.lock().expect("a journal").clone()
    }

    /// What it has been told, once that is enough.
    async fn until(&self, enough: impl Fn(&[Received]) -> bool) -> Vec<Received> {
        for _ in 0..400 {
            let journal = self.journal();
            if enough(&journal) {
                return journal;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("not told: {:#?}", self.journal());
    }

    /// Waits until it has been told of this version of a record.
    async fn told(&self, id: Uuid, version: i64) -> Vec<Received> {
        self.until(|journal| {
            versions(journal)
                .get(&id.to_string())
                .is_some_and(|v| v.contains(&version))
        })
        .await
    }
}

fn header(head: &str, name: &str) -> String {
    let lines = head.lines().filter_map(|line| line.split_once(": "));
    let mut found = lines
        .filter(|(n, _)| n.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.to_owned());
    found.next().unwrap_or_default()
}

/// Versions of each record in the order in which they were told.
fn versions(journal: &[Received]) -> BTreeMap<String, Vec<i64>> {
    let mut versions: BTreeMap<String, Vec<i64>> = BTreeMap::new();
    for item in journal.iter().flat_map(Received::items) {
        let id = item["id"].as_str().expect("an id").to_owned();
        versions
            .entry(id)
            .or_default()
            .push(item["version"].as_i64().expect("a version"));
    }
    versions
}

/// A webhook of a town's system, with its secret.
struct Hook {
    id: Uuid,
    client: Uuid,
    secret: String,
}

impl Hook {
    async fn new(admin: &Caller<'_>, receiver: &Receiver, fields: Value) -> Self {
        let client = admin.create("/clients", json!({ "name": "記録システム" })).await;
        let body = with(json!({ "client_id": client, "url": receiver.url }), fields);
        let id = admin.create("/webhooks", body).await;
        let secret = issue(admin, id).await;
        Self { id, client, secret }
    }
}

async fn issue(admin: &Caller<'_>, id: Uuid) -> String {
    let issued = admin
        .post(&format!("/webhooks/{id}/secrets"), json!({}))
        .await
        .expect(201);
    issued["secret"].as_str().expect("a secret").to_owned()
}

async fn deliveries(admin: &Caller<'_>, hook: &Hook, status: &str) -> Vec<Value> {
    let path = format!("/webhook-deliveries?webhook_id={}&status={status}", hook.id);
    let page = admin.get(&path).await.expect(200);
    page["items"].as_array().cloned().expect("items")
}

#[tokio::test]
async fn changes_are_told_signed_without_contents_and_in_the_order_of_each_record() {
    let app = TestApp::new().await;
    let (admin, editor, receiver) = (app.admin().await, app.editor().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({})).await;
    let writers = (0..6).map(|n| {
        let editor = &editor;
        async move {
            let id = editor.create("/platforms", platform(&format!("秘密の名 {n}"))).await;
            for position in 1..6 {
                let change = json!({ "position": position });
                editor.patch(&format!("/platforms/{id}"), change).await.expect(200);
            }
            id
        }
    });
    let platforms = join_all(writers).await;
    for id in &platforms {
        receiver.told(*id, 6).await;
    }
    let journal = receiver.journal();
    for message in &journal {
        assert!(message.is_signed(&hook.secret), "{message:?}");
        assert_eq!(message.body["type"], "records.changed");
        assert!(message.body["timestamp"].is_string());
        assert!(!message.text.contains("秘密"), "{}", message.text);
        for item in message.items() {
            let fields: BTreeSet<_> = item.as_object().expect("an item").keys().map(String::as_str).collect();
            let expected = [
                "at",
                "entity",
                "id",
                "mine",
                "operation",
                "organization_id",
                "seq",
                "version",
            ];
            assert_eq!(fields, expected.into());
        }
    }
    let ids: BTreeSet<_> = journal.iter().map(|m| &m.id).collect();
    assert_eq!(ids.len(), journal.len(), "each message once");
    for id in &platforms {
        let told = &versions(&journal)[&id.to_string()];
        assert!(told.is_sorted() && told.last() == Some(&6), "{told:?}");
    }
    // The receiver could go on by itself from where a message ends.
    let secret = admin
        .post(&format!("/clients/{}/secrets", hook.client), json!({}))
        .await
        .expect(201);
    let token = app
        .client_token(hook.client, secret["client_secret"].as_str().expect("a secret"))
        .await;
    let system = app.with_token(token.expect(200)["access_token"].as_str().expect("a token"));
    let next = journal.last().expect("a message").body["data"]["next"]
        .as_str()
        .expect("a cursor")
        .to_owned();
    assert_eq!(
        system.get(&format!("/changes?after={next}")).await.expect(200)["items"],
        json!([])
    );

    let gone = platforms[0];
    editor.delete(&format!("/platforms/{gone}")).await.expect(204);
    let journal = receiver.told(gone, 7).await;
    let last = journal.last().expect("a message").items();
    assert_eq!(
        (&last[0]["operation"], &last[0]["entity"]),
        (&json!("gone"), &json!("platforms"))
    );
}

#[tokio::test]
async fn only_what_the_system_may_see_and_asked_for_is_told() {
    let app = TestApp::new().await;
    let (admin, editor, city) = (app.admin().await, app.editor().await, app.foreign_editor().await);
    let (all, plans) = (Receiver::new().await, Receiver::new().await);
    Hook::new(&admin, &all, json!({})).await;
    Hook::new(&admin, &plans, json!({ "entities": ["plans"] })).await;
    let shown = json!({ "visibility": "partners" });
    let foreign = city.create("/platforms", with(platform("よその案"), shown)).await;
    let own = editor.create("/platforms", platform("うちの案")).await;
    let plan = editor.create("/plans", crate::plans::plan("計画")).await;
    all.told(plan, 1).await;
    let told = versions(&all.told(own, 1).await);
    assert!(
        !told.contains_key(&foreign.to_string()),
        "another town's draft was told"
    );
    let told = versions(&plans.told(plan, 1).await);
    assert_eq!(told.keys().collect::<Vec<_>>(), [&plan.to_string()]);

    // Shared: told as a new stream; withdrawn: told that it is to be forgotten.
    let grant = json!({ "organization_id": NANBU.id, "scope_id": foreign, "valid_from": "2024-04-01" });
    let granted = app.insert("grants", TOTTORI_CITY, &grant).await;
    all.told(foreign, 1).await;
    app.sql(&format!("delete from grants where id = '{granted}'")).await;
    city.create("/platforms", platform("もう一つ")).await;
    let journal = all
        .until(|j| j.iter().any(|m| m.body["type"] == "records.resync"))
        .await;
    let resync = journal
        .iter()
        .find(|m| m.body["type"] == "records.resync")
        .expect("a message");
    assert_eq!(resync.body["data"]["organizations"], json!([TOTTORI_CITY.id]));
}

#[tokio::test]
async fn a_message_that_was_not_taken_comes_again_with_the_same_id_and_body() {
    let app = TestApp::new().await;
    let (admin, editor, receiver) = (app.admin().await, app.editor().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({})).await;
    receiver.will_answer(&["503 Busy", "302 Found\r\nlocation: /hook?key=1", "nothing"]);
    let first = editor.create("/platforms", platform("一つ目")).await;
    receiver.until(|journal| journal.len() == 1).await;
    let second = editor.create("/platforms", platform("二つ目")).await;
    let journal = receiver.told(second, 1).await;
    assert_eq!(
        journal.len(),
        5,
        "three failures, the success, and what happened meanwhile: {journal:#?}"
    );
    for again in &journal[1..4] {
        assert_eq!((&again.id, &again.text), (&journal[0].id, &journal[0].text));
        assert!(again.is_signed(&hook.secret));
    }
    assert_ne!(journal[4].id, journal[0].id);
    assert_eq!(
        versions(&journal[4..5]).keys().collect::<Vec<_>>(),
        [&second.to_string()]
    );
    assert!(journal[0].text.contains(&first.to_string()));
    tokio::time::sleep(Duration::from_millis(200)).await;
    let delivered = deliveries(&admin, &hook, "delivered").await;
    let attempts: Vec<_> = delivered.iter().map(|d| d["attempts"].clone()).collect();
    assert_eq!(attempts, [json!(1), json!(4)]);
    assert_eq!(
        (&delivered[1]["failure"], &delivered[1]["answer_status"]),
        (&Value::Null, &json!(204))
    );
}

#[tokio::test]
async fn a_receiver_that_asks_to_wait_is_left_alone() {
    let app = TestApp::new().await;
    let (admin, editor, receiver) = (app.admin().await, app.editor().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({})).await;
    receiver.will_answer(&["429 Slow\r\nretry-after: 2"]);
    editor.create("/platforms", platform("一つ")).await;
    receiver.until(|journal| journal.len() == 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let waiting = deliveries(&admin, &hook, "pending").await.remove(0);
    assert_eq!(
        (&waiting["failure"], &waiting["answer_status"]),
        (&json!("status"), &json!(429))
    );
    assert!(waiting["next_attempt_at"].is_string());
    let journal = receiver.until(|journal| journal.len() == 2).await;
    assert!(journal[1].at - journal[0].at > Duration::from_millis(1900));
}

#[tokio::test]
async fn an_endless_answer_is_cut_off_and_counts() {
    let app = TestApp::new().await;
    let (admin, editor, receiver) = (app.admin().await, app.editor().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({})).await;
    receiver.will_answer(&["endless"]);
    editor.create("/platforms", platform("一つ")).await;
    receiver.until(|journal| journal.len() == 1).await;
    for _ in 0..40 {
        if deliveries(&admin, &hook, "delivered").await.len() == 1 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("not delivered");
}

#[tokio::test]
async fn a_message_that_is_given_up_does_not_stop_the_others_and_can_be_sent_again() {
    let app = TestApp::new().await;
    let (admin, editor, receiver) = (app.admin().await, app.editor().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({})).await;
    receiver.will_answer(&["500 Broken"; 4]);
    let lost = editor.create("/platforms", platform("届かない")).await;
    receiver.until(|journal| journal.len() == 4).await;
    let next = editor.create("/platforms", platform("届く")).await;
    let journal = receiver.told(next, 1).await;
    assert_eq!(journal.len(), 5);
    let dead = deliveries(&admin, &hook, "dead").await;
    assert_eq!(dead.len(), 1);
    assert_eq!(
        (&dead[0]["attempts"], &dead[0]["answer_status"]),
        (&json!(4), &json!(500))
    );
    assert!(
        dead[0]["message"]
            .as_str()
            .is_some_and(|m| m.contains(&lost.to_string()))
    );
    let id = dead[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(journal[0].id, format!("msg_{id}"));

    receiver.will_answer(&["500 Broken"]);
    let retry = format!("/webhook-deliveries/{id}/retry");
    assert_eq!(admin.post(&retry, json!({})).await.expect(200)["status"], "retry");
    receiver.until(|journal| journal.len() == 6).await;
    for round in 0.. {
        if deliveries(&admin, &hook, "dead").await.len() == 1 {
            break;
        }
        assert!(round < 50, "not given up again");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    admin.post(&retry, json!({})).await.expect(200);
    let journal = receiver.until(|journal| journal.len() == 7).await;
    assert_eq!(journal[6].id, journal[0].id);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(deliveries(&admin, &hook, "dead").await.is_empty());
    admin
        .post(&retry, json!({}))
        .await
        .problem(409, "webhook_deliveries_delivered");
}

#[tokio::test]
async fn two_secrets_are_good_while_the_receiver_changes_over() {
    let app = TestApp::new().await;
    let (admin, editor, receiver) = (app.admin().await, app.editor().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({})).await;
    let second = issue(&admin, hook.id).await;
    let id = editor.create("/platforms", platform("一")).await;
    let message = receiver.told(id, 1).await.remove(0);
    assert!(message.is_signed(&hook.secret) && message.is_signed(&second));
    assert_eq!(message.signatures.split(' ').count(), 2);
    let third = issue(&admin, hook.id).await;
    let id = editor.create("/platforms", platform("二")).await;
    let message = receiver.told(id, 1).await.pop().expect("a message");
    assert!(!message.is_signed(&hook.secret) && message.is_signed(&second) && message.is_signed(&third));

    // Shown once: a retry does not get it, and the database does not hold it.
    let address = format!("/webhooks/{}/secrets", hook.id);
    let key = [("idempotency-key", "rotate")];
    let shown = admin
        .send(reqwest::Method::POST, &address, None, &key)
        .await
        .expect(201);
    assert!(
        shown["secret"]
            .as_str()
            .is_some_and(|s| s.starts_with("whsec_") && s.len() == 50)
    );
    let again = admin
        .send(reqwest::Method::POST, &address, None, &key)
        .await
        .expect(201);
    assert_eq!(again["secret"], Value::Null);
    let raw = BASE64
        .decode(&shown["secret"].as_str().expect("a secret")[6..])
        .expect("base64");
    let hex: String = raw.iter().map(|byte| format!("{byte:02x}")).collect();
    let kept = "select id::text from webhook_secrets where position($1 in encode(sealed, 'hex')) > 0";
    assert!(app.texts(kept, &[&hex]).await.is_empty());
    assert_eq!(app.texts("select id::text from webhook_secrets", &[]).await.len(), 2);
}

#[tokio::test]
async fn a_receiver_that_is_gone_switches_its_webhook_off_and_misses_nothing() {
    let app = TestApp::new().await;
    let (admin, editor, receiver) = (app.admin().await, app.editor().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({})).await;
    receiver.will_answer(&["410 Gone"]);
    let first = editor.create("/platforms", platform("一")).await;
    receiver.until(|journal| journal.len() == 1).await;
    let address = format!("/webhooks/{}", hook.id);
    for round in 0.. {
        if admin.get(&address).await.expect(200)["active"] == false {
            break;
        }
        assert!(round < 50, "still active");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let history = admin
        .get(&format!("/history?entity=webhooks&record_id={}", hook.id))
        .await
        .expect(200);
    assert_eq!(history["items"][0]["reason"], "410 Gone");
    let second = editor.create("/platforms", platform("二")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(receiver.journal().len(), 1);
    admin.patch(&address, json!({ "active": true })).await.expect(200);
    let journal = receiver.told(second, 1).await;
    assert_eq!(journal[1].id, journal[0].id);
    assert!(journal[1].text.contains(&first.to_string()));
}

#[tokio::test]
async fn a_system_that_is_switched_off_is_told_nothing_until_it_is_on_again() {
    let app = TestApp::new().await;
    let (admin, editor, receiver) = (app.admin().await, app.editor().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({})).await;
    let address = format!("/clients/{}", hook.client);
    admin.patch(&address, json!({ "active": false })).await.expect(200);
    let id = editor.create("/platforms", platform("一")).await;
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert!(receiver.journal().is_empty());
    let body = json!({ "client_id": hook.client, "url": receiver.url });
    admin.refused("/webhooks", body, 409, "webhooks_client_active").await;
    admin.patch(&address, json!({ "active": true })).await.expect(200);
    receiver.told(id, 1).await;
    admin.delete(&address).await.expect(204);
    admin
        .get(&format!("/webhooks/{}", hook.id))
        .await
        .problem(404, "not_found");
}

#[tokio::test]
async fn several_instances_share_the_work_and_double_nothing() {
    let app = TestApp::new().await;
    let (admin, editor) = (app.admin().await, app.editor().await);
    let _others = [app.another_instance(), app.another_instance()];
    let receivers = join_all((0..3).map(|_| Receiver::new())).await;
    for receiver in &receivers {
        Hook::new(&admin, receiver, json!({})).await;
    }
    let mut last = Uuid::nil();
    for n in 0..40 {
        last = editor.create("/platforms", platform(&format!("{n}"))).await;
    }
    for receiver in &receivers {
        let journal = receiver.told(last, 1).await;
        let told = versions(&journal);
        let platforms = told.values().filter(|v| v.as_slice() == [1]).count();
        assert!(platforms >= 40 && told.values().all(|v| v.len() == 1), "{told:?}");
        let ids: BTreeSet<_> = journal.iter().map(|m| &m.id).collect();
        assert_eq!(ids.len(), journal.len());
    }
}

#[tokio::test]
async fn what_an_instance_did_not_live_to_see_is_sent_again_under_its_id() {
    let app = TestApp::new().await;
    let (admin, editor, receiver) = (app.admin().await, app.editor().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({})).await;
    let id = editor.create("/platforms", platform("一")).await;
    receiver.told(id, 1).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    // As if it had died between the receiver's answer and the commit: not settled, not advanced, lease still running.
    app.sql(
        "update webhook_deliveries set status = 'pending', attempts = 0;
         update webhook_states set seen = null, lease = gen_random_uuid(), leased_until = now() + interval '1 second'",
    )
    .await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(receiver.journal().len(), 1, "the lease is not over");
    let journal = receiver.until(|journal| journal.len() == 2).await;
    assert_eq!((&journal[1].id, &journal[1].text), (&journal[0].id, &journal[0].text));
    assert!(journal[1].is_signed(&hook.secret));
}

#[tokio::test]
async fn everything_can_be_told_again_from_a_point_on() {
    let app = TestApp::new().await;
    let (admin, editor, receiver) = (app.admin().await, app.editor().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({ "entities": ["platforms"] })).await;
    let first = editor.create("/platforms", platform("一")).await;
    let journal = receiver.told(first, 1).await;
    let after = journal[0].body["data"]["next"].clone();
    tokio::time::sleep(Duration::from_millis(20)).await;
    let between = chrono::Utc::now();
    let second = editor.create("/platforms", platform("二")).await;
    let before = receiver.told(second, 1).await.len();
    let replay = format!("/webhooks/{}/replay", hook.id);
    for from in [json!({ "after": after }), json!({ "since": between })] {
        let before = receiver.journal().len().max(before);
        admin.post(&replay, from).await.expect(204);
        let journal = receiver.until(|journal| journal.len() > before).await;
        let told = versions(&journal[before..]);
        assert_eq!(told.keys().collect::<Vec<_>>(), [&second.to_string()]);
        assert!(
            !journal[..before].iter().any(|m| m.id == journal[before].id),
            "a new message"
        );
    }
    let old = json!({ "since": "2020-04-01T00:00:00Z" });
    admin.post(&replay, old).await.problem(409, "webhooks_replay_kept");
    for neither in [json!({}), json!({ "after": after, "since": between })] {
        admin.post(&replay, neither).await.problem(409, "webhooks_replay_from");
    }
    admin
        .post(&replay, json!({ "after": "x" }))
        .await
        .problem(409, "webhooks_replay_cursor");
}

#[tokio::test]
async fn a_test_says_at_once_what_the_receiver_answers() {
    let app = TestApp::new().await;
    let (admin, receiver) = (app.admin().await, Receiver::new().await);
    let client = admin.create("/clients", json!({ "name": "記録" })).await;
    let body = json!({ "client_id": client, "url": receiver.url, "active": false });
    let id = admin.create("/webhooks", body).await;
    let test = format!("/webhooks/{id}/test");
    admin.post(&test, json!({})).await.problem(409, "webhooks_secret");
    let secret = issue(&admin, id).await;
    let ok = admin.post(&test, json!({})).await.expect(200);
    assert_eq!(
        ok.body,
        json!({ "delivered": true, "answer_status": 204, "failure": null })
    );
    let message = receiver.journal().remove(0);
    assert!(message.is_signed(&secret) && message.body["type"] == "ping");
    receiver.will_answer(&["500 Broken", "nothing"]);
    let broken = admin.post(&test, json!({})).await.expect(200);
    assert_eq!(
        broken.body,
        json!({ "delivered": false, "answer_status": 500, "failure": "status" })
    );
    let silent = admin.post(&test, json!({})).await.expect(200);
    assert_eq!(
        silent.body,
        json!({ "delivered": false, "answer_status": null, "failure": "timeout" })
    );
    admin
        .patch(&format!("/webhooks/{id}"), json!({ "url": "http://127.0.0.1:9/" }))
        .await
        .expect(200);
    assert_eq!(
        admin.post(&test, json!({})).await.expect(200)["failure"],
        "not_connected"
    );
    // TLS is spoken and checked: this receiver speaks none.
    let tls = json!({ "url": receiver.url.replace("http:", "https:") });
    admin.patch(&format!("/webhooks/{id}"), tls).await.expect(200);
    assert_eq!(admin.post(&test, json!({})).await.expect(200)["failure"], "tls");
}

#[tokio::test]
async fn webhooks_are_looked_after_by_administrators_of_their_organisation() {
    let app = TestApp::new().await;
    let (admin, receiver) = (app.admin().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({ "description": "夜間連携" })).await;
    let address = format!("/webhooks/{}", hook.id);
    for stranger in ["city", "pref-admin", "council", "client"] {
        let stranger = app.caller(stranger).await;
        assert!([403, 404].contains(&stranger.get(&address).await.status));
        assert!([403, 404].contains(&stranger.post(&format!("{address}/replay"), json!({})).await.status));
    }
    for colleague in [app.viewer().await, app.editor().await] {
        colleague.get(&address).await.problem(403, "forbidden");
        colleague.get("/webhook-deliveries").await.problem(403, "forbidden");
        let history = format!("/history?entity=webhooks&record_id={}", hook.id);
        colleague.get(&history).await.problem(403, "forbidden");
    }
    // A council's editors look after its systems; another organisation's system is none.
    let council = app.council().await;
    let url = json!(receiver.url);
    council
        .create("/webhooks", json!({ "client_id": CLIENT, "url": url }))
        .await;
    let foreign = json!({ "client_id": hook.client, "url": url });
    council
        .refused("/webhooks", foreign, 409, "webhooks_client_id_fkey")
        .await;
    assert_eq!(
        council.get("/webhooks").await.expect(200).items("owner_org_id"),
        [json!(COUNCIL.id)]
    );
    let names = ["一", "二"].map(|n| json!({ "client_id": hook.client, "url": url, "description": n }));
    for body in names {
        admin.create("/webhooks", body).await;
    }
    assert_eq!(admin.list("/webhooks", "description").await, ["夜間連携", "一", "二"]);
    admin.patch(&address, json!({ "active": false })).await.expect(200);
    for (active, names) in [(true, vec!["一", "二"]), (false, vec!["夜間連携"])] {
        assert_eq!(
            admin.list(&format!("/webhooks?active={active}"), "description").await,
            names
        );
    }
    admin.delete(&address).await.expect(204);
    // Batches leave them alone.
    let batch = json!({ "items": [{ "entity": "webhooks", "record": { "client_id": hook.client, "url": url } }] });
    let batch = admin.post("/batch", batch).await.expect(200);
    assert_eq!(batch["items"][0]["problem"]["code"], "not_in_batches");
}

/// Writes down what would be opened, and opens nothing.
#[derive(Default)]
struct Recorder {
    names: HashMap<&'static str, Mutex<VecDeque<Vec<SocketAddr>>>>,
    opened: Mutex<Vec<SocketAddr>>,
}

impl Network for Recorder {
    async fn resolve(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        let scripted = self
            .names
            .get(host)
            .and_then(|answers| answers.lock().expect("answers").pop_front());
        // A resolver that knows every spelling and every name, and answers with what must not be reached.
        Ok(scripted.unwrap_or_else(|| vec![SocketAddr::from(([127, 0, 0, 1], port))]))
    }
    async fn connect(&self, address: SocketAddr) -> io::Result<TcpStream> {
        self.opened.lock().expect("a list").push(address);
        Err(io::ErrorKind::ConnectionRefused.into())
    }
}

/// Addresses inside of networks, in the spellings that parsers of the world understand.
fn forbidden_spellings() -> Vec<String> {
    let v4: [[u8; 4]; 26] = [
        [127, 0, 0, 1],
        [127, 255, 255, 254],
        [10, 0, 0, 1],
        [10, 255, 255, 255],
        [172, 16, 0, 1],
        [172, 31, 255, 254],
        [192, 168, 0, 1],
        [192, 168, 255, 254],
        [169, 254, 169, 254],
        [169, 254, 0, 1],
        [0, 0, 0, 0],
        [0, 1, 2, 3],
        [100, 64, 0, 1],
        [100, 127, 255, 254],
        [192, 0, 0, 8],
        [192, 0, 2, 1],
        [198, 18, 0, 1],
        [198, 19, 255, 254],
        [198, 51, 100, 7],
        [203, 0, 113, 9],
        [192, 88, 99, 1],
        [224, 0, 0, 1],
        [239, 255, 255, 250],
        [240, 0, 0, 1],
        [255, 255, 255, 255],
        [192, 175, 48, 1],
    ];
    let mut hosts: Vec<String> = Vec::new();
    for ip in v4 {
        let [a, b, c, d] = ip;
        let n = u32::from_be_bytes(ip);
        let (low, mid) = (n & 0xffff, n & 0x00ff_ffff);
        let wide = |text: &str| -> String {
            let digit = |ch: char| ch.to_digit(10).and_then(|d| char::from_u32(0xff10 + d)).unwrap_or(ch);
            text.chars().map(digit).collect()
        };
        let plain = format!("{a}.{b}.{c}.{d}");
        hosts.extend([
            plain.clone(),
            format!("{plain}."),
            format!("{n}"),
            format!("0x{n:x}"),
            format!("0X{n:X}"),
            format!("0{n:o}"),
            format!("0x{a:02x}.0x{b:02x}.0x{c:02x}.0x{d:02x}"),
            format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
            format!("0000{a:o}.0{b:o}.0{c:o}.0{d:o}"),
            format!("{a}.{mid}"),
            format!("{a}.{b}.{low}"),
            format!("0x{a:x}.{b}.0{c:o}.{d}"),
            wide(&plain),
            plain.replace('.', "。"),
            plain.replace('.', "%2e"),
            plain.bytes().map(|byte| format!("%{byte:02x}")).collect(),
            format!("[::ffff:{plain}]"),
            format!("[::ffff:{:x}:{low:x}]", n >> 16),
            format!("[0:0:0:0:0:ffff:{plain}]"),
            format!("[::{plain}]"),
            format!("[64:ff9b::{plain}]"),
            format!("[64:ff9b:1::{plain}]"),
            format!("[2002:{:x}:{low:x}::1]", n >> 16),
            format!("[2001:0:{:x}:{low:x}::]", n >> 16),
        ]);
    }
    for host in [
        "[::]",
        "[::1]",
        "[0:0:0:0:0:0:0:1]",
        "[0000::0001]",
        "[::1%25lo]",
        "[::1%lo]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[febf::1]",
        "[fc00::1]",
        "[fd00:ec2::254]",
        "[fdff::1]",
        "[fec0::1]",
        "[ff02::1]",
        "[ff05::2]",
        "[100::1]",
        "[2001:db8::1]",
        "[2001::1]",
        "[2001:10::1]",
        "[2001:20::1]",
        "[3fff::1]",
        "[5f00::1]",
        "[4000::1]",
        "[2620:4f:8000::1]",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "localhost.localdomain",
        "ip6-localhost",
        "intranet",
        "router",
        "metadata",
        "metadata.google.internal",
        "127.0.0.1.nip.example",
        "ⓛocalhost",
        "loc\u{ad}alhost",
        "l\u{2024}ocalhost",
        "①②⑦.⓪.⓪.①",
        "127。0。0。1",
        "127｡0｡0｡1",
        "127\u{ff0e}0\u{ff0e}0\u{ff0e}1",
        "",
        ".",
        "..",
        "127.0.0.1%00.example.jp",
        "127.0.0.1%09",
        "127.0.0.1\t",
        " 127.0.0.1",
        "127.0.0.1\n.example.jp",
        "127..0.1",
    ] {
        hosts.push(host.to_owned());
    }
    let mut urls: Vec<String> = hosts.iter().map(|host| format!("https://{host}/hook")).collect();
    urls.extend(hosts.iter().take(24).map(|host| format!("https://{host}:8443/hook")));
    for host in ["127.0.0.1", "169.254.169.254", "[::1]"] {
        urls.extend([
            format!("https://council.example.jp@{host}/"),
            format!("https://council.example.jp:443@{host}/"),
            format!("https://user:secret@{host}/"),
            format!("https://{host}@council.example.jp/"),
            format!("https://council.example.jp\\@{host}/"),
            format!("https://{host}\\@council.example.jp/"),
            format!("https://council.example.jp#@{host}/"),
            format!("https:{host}/"),
            format!("https:/{host}/"),
            format!("https:///{host}/"),
            format!("https:\\\\{host}/"),
            format!("//{host}/"),
            format!("http://{host}/"),
            format!("ftp://{host}/"),
            format!("gopher://{host}:70/_x"),
            format!("file://{host}/etc/passwd"),
            format!("unix:///{host}"),
            format!("https://{host}:22/"),
            format!("https://{host}:5432/"),
            format!("https://{host}:0/"),
            format!("https://{host}:65536/"),
            format!("https://{host}:443:443/"),
            format!("HTTPS://{host}/"),
            format!("jar:https://{host}!/"),
        ]);
    }
    urls
}

fn public_only() -> Reachable {
    Reachable(vec![Reach::Public])
}

async fn post(reachable: &Reachable, network: &Recorder, url: &str) -> Failure {
    let limit = Duration::from_secs(5);
    let headers = Default::default();
    let outcome = reachable.post(network, url, headers, "{}".to_owned(), limit).await;
    outcome.expect_err("nothing is connected")
}

#[tokio::test]
async fn no_spelling_of_a_forbidden_address_opens_a_connection() {
    let (network, urls) = (Recorder::default(), forbidden_spellings());
    assert!(urls.len() > 700, "{}", urls.len());
    for url in &urls {
        let failure = post(&public_only(), &network, url).await;
        let opened = network.opened.lock().expect("a list").clone();
        assert!(opened.is_empty(), "{url} opened {opened:?}");
        assert!(
            !matches!(failure, Failure::NotConnected | Failure::Timeout),
            "{url}: {failure:?}"
        );
    }
    // Also where the operator lets messages into one network of his own: all others stay closed.
    let lgwan = Reachable(vec![
        Reach::Public,
        Reach::Net("10.20.0.0/16".parse().expect("a network")),
    ]);
    for url in urls.iter().filter(|url| !url.contains("10.20.")) {
        post(&lgwan, &network, url).await;
        assert!(network.opened.lock().expect("a list").is_empty(), "{url}");
    }
}

#[tokio::test]
async fn only_the_address_that_was_checked_is_connected_to_and_it_is_checked_each_time() {
    let at = |ip: &str| SocketAddr::new(ip.parse().expect("an address"), 443);
    let (public, private) = (at("93.184.216.34"), at("10.0.0.7"));
    let names = [
        // Public when it is looked at first, private afterwards.
        (
            "rebind.example.jp",
            vec![
                vec![public],
                vec![private],
                vec![public, private],
                vec![private, public],
                vec![],
            ],
        ),
        (
            "mapped.example.jp",
            vec![
                vec![at("::ffff:127.0.0.1")],
                vec![at("64:ff9b::a00:1")],
                vec![at("fe80::1")],
            ],
        ),
        ("other-port.example.jp", vec![vec![SocketAddr::new(public.ip(), 22)]]),
        ("two.example.jp", vec![vec![public, at("2606:2800:220:1::1")]]),
    ];
    let names = names.map(|(name, answers)| (name, Mutex::new(answers.into())));
    let network = Recorder {
        names: names.into_iter().collect(),
        opened: Mutex::default(),
    };
    let expected = [
        ("rebind", Failure::NotConnected),
        ("rebind", Failure::ForbiddenAddress),
        ("rebind", Failure::ForbiddenAddress),
        ("rebind", Failure::ForbiddenAddress),
        ("rebind", Failure::Unresolved),
        ("mapped", Failure::ForbiddenAddress),
        ("mapped", Failure::ForbiddenAddress),
        ("mapped", Failure::ForbiddenAddress),
        ("other-port", Failure::ForbiddenAddress),
        ("two", Failure::NotConnected),
    ];
    for (name, failure) in expected {
        let url = format!("https://{name}.example.jp/hook");
        assert_eq!(post(&public_only(), &network, &url).await, failure, "{name}");
    }
    let opened = network.opened.lock().expect("a list").clone();
    assert_eq!(opened, [public, public, at("2606:2800:220:1::1")]);
}

#[tokio::test]
async fn an_address_that_may_not_be_called_is_refused_when_it_is_written() {
    let app = TestApp::new().await;
    let admin = app.admin().await;
    let client = admin.create("/clients", json!({ "name": "記録" })).await;
    let body = |url: &str| json!({ "client_id": client, "url": url });
    for (url, code) in [
        ("https://user:secret@council.example.jp/", "webhooks_url_credentials"),
        ("https://2130706433/", "webhooks_url_spelling"),
        ("https://0x7f.1/", "webhooks_url_spelling"),
        ("https://Council.example.jp/", "webhooks_url_spelling"),
        ("https://council%2eexample.jp/", "webhooks_url_spelling"),
        ("https://council.example.jp:99999/", "webhooks_url_spelling"),
        ("http://council.example.jp/", "webhooks_url_https"),
        ("https://10.0.0.1/", "webhooks_url_address"),
        ("https://[::ffff:7f00:1]/", "webhooks_url_address"),
        ("https://intranet/", "webhooks_url_address"),
        ("https://council.example.jp./", "webhooks_url_address"),
    ] {
        admin.refused("/webhooks", body(url), 409, code).await;
    }
    for wrong in [
        "ftp://council.example.jp/",
        "https://",
        "https://協議会.example.jp/",
        "council.example.jp",
    ] {
        admin
            .post("/webhooks", body(wrong))
            .await
            .wrong_field("/url", "web_address");
    }
    let public = public_only();
    for (url, rule) in [
        ("https://council.example.jp:22/", "webhooks_url_port"),
        ("https://93.184.216.34:22/", "webhooks_url_port"),
        ("http://93.184.216.34/", "webhooks_url_https"),
        ("http://127.0.0.1/", "webhooks_url_address"),
    ] {
        assert_eq!(public.target(url).expect_err(url), Failure::Address(rule), "{url}");
    }
    for good in [
        "https://council.example.jp",
        "https://council.example.jp:443/a?b=c",
        "https://93.184.216.34:8443/",
        "https://xn--r8jz45g.jp/",
    ] {
        assert!(public.target(good).is_ok(), "{good}");
    }
}

#[tokio::test]
async fn a_redirect_is_a_failure_and_nobody_goes_there() {
    let app = TestApp::new().await;
    let (admin, editor) = (app.admin().await, app.editor().await);
    let (receiver, canary) = (Receiver::new().await, Receiver::new().await);
    let hook = Hook::new(&admin, &receiver, json!({})).await;
    for status in ["301", "302", "303", "307", "308"] {
        let there: &'static str = format!("{status} Moved\r\nlocation: {}", canary.url).leak();
        receiver.will_answer(&[there]);
        let tried = admin
            .post(&format!("/webhooks/{}/test", hook.id), json!({}))
            .await
            .expect(200);
        assert_eq!(
            (&tried["failure"], tried["answer_status"].to_string()),
            (&json!("status"), status.to_owned())
        );
    }
    let id = editor.create("/platforms", platform("一")).await;
    receiver.told(id, 1).await;
    assert!(canary.journal().is_empty());
}
