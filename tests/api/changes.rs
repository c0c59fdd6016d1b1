//! Reading the change feed, as a system that keeps a copy does.

use crate::app::{COUNCIL, Caller, NANBU, TestApp, with};
use crate::kpis::kpi;
use crate::plans::plan;
use crate::platforms::platform;
use rand::seq::IndexedRandom;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};
use uuid::Uuid;

/// A copy of what a reader may see, kept as docs/SYNC.md says.
#[derive(Default)]
struct Copy {
    cursor: Option<String>,
    records: BTreeMap<String, Value>,
    /// The last number of each organisation.
    read: BTreeMap<String, i64>,
    resyncs: usize,
}

impl Copy {
    async fn catch_up(&mut self, caller: &Caller<'_>, limit: usize) {
        loop {
            let cursor = self.cursor.as_ref().map(|c| format!("&after={c}")).unwrap_or_default();
            let reply = caller.get(&format!("/changes?limit={limit}{cursor}")).await;
            if reply.status == 410 {
                let reply = reply.problem(410, "resync_required");
                for lost in reply["organizations"].as_array().expect("organisations") {
                    self.records.retain(|_, record| record["owner_org_id"] != *lost);
                    self.read.remove(lost.as_str().expect("an id"));
                }
                self.cursor = reply["after"].as_str().map(str::to_owned);
                self.resyncs += 1;
                continue;
            }
            let reply = reply.expect(200);
            self.apply(&reply.body);
            self.cursor = reply["next"].as_str().map(str::to_owned);
            if reply["more"] == json!(false) {
                return;
            }
        }
    }

    fn apply(&mut self, changes: &Value) {
        let mut told: BTreeMap<String, BTreeSet<i64>> = BTreeMap::new();
        for item in changes["items"].as_array().expect("items") {
            let (organization, seq) = (text(&item["organization_id"]), item["seq"].as_i64().expect("a number"));
            let numbers = told.entry(organization).or_default();
            assert!(numbers.last().is_none_or(|last| *last < seq), "out of order: {item}");
            numbers.insert(seq);
            let key = format!("{} {}", text(&item["entity"]), text(&item["id"]));
            if item["operation"] == "gone" {
                self.records.remove(&key);
                continue;
            }
            assert_eq!(item["record"]["version"], item["version"], "{item}");
            let known = self.records.get(&key).map_or(0, |r| r["version"].as_i64().unwrap_or(0));
            if item["version"].as_i64().unwrap_or(0) > known {
                self.records.insert(key, item["record"].clone());
            }
        }
        // Every number is told once: as an item or as skipped.
        for range in changes["ranges"].as_array().expect("ranges") {
            let organization = text(&range["organization_id"]);
            let (first, last) = (range["first"].as_i64(), range["last"].as_i64().expect("a number"));
            assert_eq!(first, Some(self.read.get(&organization).unwrap_or(&0) + 1), "{range}");
            let mut numbers = told.remove(&organization).unwrap_or_default();
            for gap in range["skipped"].as_array().expect("gaps") {
                for seq in gap[0].as_i64().expect("a number")..=gap[1].as_i64().expect("a number") {
                    assert!(numbers.insert(seq), "{seq} is told and skipped");
                }
            }
            assert!(numbers.into_iter().eq(first.unwrap_or(1)..=last), "{range}");
            self.read.insert(organization, last);
        }
        assert!(told.is_empty(), "items outside of the ranges: {told:?}");
    }

    fn ids(&self, entity: &str) -> Vec<String> {
        let ids = self
            .records
            .keys()
            .filter_map(|key| key.strip_prefix(entity)?.strip_prefix(' '));
        ids.map(str::to_owned).collect()
    }
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

async fn fresh(caller: &Caller<'_>) -> Copy {
    let mut copy = Copy::default();
    copy.catch_up(caller, 5000).await;
    copy
}

#[tokio::test]
async fn a_copy_follows_creations_changes_and_deletions() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let mut copy = fresh(&editor).await;
    let made = editor.create("/platforms", platform("一つ目")).await;
    let other = editor.create("/platforms", platform("二つ目")).await;
    editor
        .patch(&format!("/platforms/{made}"), json!({ "name": "改めた名" }))
        .await
        .expect(200);
    copy.catch_up(&editor, 1).await;
    for id in [made, other] {
        let address = format!("/platforms/{id}");
        assert_eq!(
            copy.records[&format!("platforms {id}")],
            editor.get(&address).await.body
        );
    }
    let address = format!("/platforms/{other}");
    let etag = editor.get(&address).await.etag().to_owned();
    let headers = [("if-match", etag.as_str()), ("change-reason", "%E9%87%8D%E8%A4%87")];
    editor
        .send(reqwest::Method::DELETE, &address, None, &headers)
        .await
        .expect(204);
    let cursor = copy.cursor.clone().expect("a cursor");
    let told = editor.get(&format!("/changes?after={cursor}")).await.expect(200);
    let item = &told["items"][0];
    assert_eq!((&item["operation"], &item["id"]), (&json!("gone"), &json!(other)));
    assert_eq!(
        (&item["reason"], &item["mine"], &item["version"]),
        (&json!("重複"), &json!(true), &json!(2))
    );
    assert!(item["record"].is_null() && item["at"].is_string());
    copy.catch_up(&editor, 500).await;
    assert_eq!(copy.ids("platforms"), [made.to_string()]);
    assert_eq!(copy.records, fresh(&editor).await.records);
    assert_eq!(copy.resyncs, 0);
}

#[tokio::test]
async fn who_follows_from_now_on_is_told_nothing_of_before() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    editor.create("/platforms", platform("前から")).await;
    let latest = editor.get("/changes/latest").await.expect(200);
    let after = format!("/changes?after={}", text(&latest["next"]));
    assert_eq!(editor.get(&after).await.expect(200)["items"], json!([]));
    let new = editor.create("/plans", plan("後から")).await;
    assert_eq!(editor.get(&after).await.expect(200).items("id"), [json!(new)]);
}

#[tokio::test]
async fn only_the_kinds_that_are_asked_for_are_told() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let platform = editor.create("/platforms", platform("場")).await;
    let kpi = editor.create("/kpis", kpi("相談")).await;
    let told = editor.get("/changes?entity=kpis,plans").await.expect(200);
    assert_eq!(told.items("id"), [json!(kpi)]);
    let told = editor.get("/changes?entity=platforms").await.expect(200);
    assert_eq!(told.items("id"), [json!(platform)]);
    editor.get("/changes?entity=secrets").await.problem(400, "bad_query");
    // What one may not read in lists is not told either.
    let told = app.council().await.get("/changes?entity=grants").await.expect(200);
    assert_eq!(told["items"], json!([]));
}

#[tokio::test]
async fn a_waiting_reader_hears_of_a_commit_at_once_and_otherwise_gets_an_empty_answer() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let cursor = text(&editor.get("/changes/latest").await.expect(200)["next"]);
    let begun = Instant::now();
    let idle = editor.get(&format!("/changes?after={cursor}&wait=1")).await.expect(200);
    assert!(begun.elapsed() >= Duration::from_secs(1));
    assert_eq!((&idle["items"], &idle["next"]), (&json!([]), &json!(cursor)));
    let address = format!("/changes?after={cursor}&wait=20");
    let (told, ()) = tokio::join!(editor.get(&address), async {
        tokio::time::sleep(Duration::from_millis(300)).await;
        editor.create("/platforms", platform("待たれた")).await;
    });
    assert_eq!(told.expect(200).items("entity"), [json!("platforms")]);
    assert!(begun.elapsed() < Duration::from_secs(10));
}

#[tokio::test]
async fn what_is_published_appears_with_everything_below_it_and_goes_with_it() {
    let app = TestApp::new().await;
    let (editor, admin, prefecture) = (app.editor().await, app.admin().await, app.prefecture().await);
    let sheet = editor
        .create("/plans", with(plan("計画"), json!({ "visibility": "public" })))
        .await;
    let goal = json!({ "plan_id": sheet, "kind": "measure", "title": "目標" });
    let goal = editor.create("/goals", goal).await;
    let hidden = editor.create("/plans", plan("下書き")).await;
    let mut copy = fresh(&prefecture).await;
    assert!(copy.ids("plans").is_empty(), "a draft is nobody else's");
    let address = format!("/plans/{sheet}");
    editor.transition(&address, "submitted", "").await.expect(200);
    copy.catch_up(&prefecture, 1).await;
    assert_eq!(
        (copy.ids("plans"), copy.ids("goals")),
        (vec![sheet.to_string()], vec![goal.to_string()])
    );
    // What nobody else could see is not told when it goes either.
    editor.delete(&format!("/plans/{hidden}")).await.expect(204);
    editor
        .transition(&address, "draft", "%E7%A2%BA%E8%AA%8D")
        .await
        .expect(200);
    let cursor = copy.cursor.clone().expect("a cursor");
    let told = prefecture.get(&format!("/changes?after={cursor}")).await.expect(200);
    assert_eq!(told.items("operation"), [json!("gone"), json!("gone")]);
    assert!(!told.text.contains(&hidden.to_string()));
    copy.catch_up(&prefecture, 500).await;
    assert!(copy.ids("plans").is_empty() && copy.ids("goals").is_empty());
    // The owner has known all of it, all the time.
    let mut own = fresh(&editor).await;
    editor.transition(&address, "submitted", "").await.expect(200);
    admin.transition(&address, "confirmed", "").await.expect(200);
    let cursor = own.cursor.clone().expect("a cursor");
    let told = editor.get(&format!("/changes?after={cursor}")).await.expect(200);
    assert_eq!(told.items("entity"), [json!("plans")], "one item for two versions");
    own.catch_up(&editor, 500).await;
    assert_eq!(own.resyncs, 0);
}

#[tokio::test]
async fn a_deletion_is_told_to_those_who_could_see_the_record() {
    let app = TestApp::new().await;
    let (editor, prefecture) = (app.editor().await, app.prefecture().await);
    let sheet = editor.create("/plans", plan("計画")).await;
    let goal = json!({ "plan_id": sheet, "kind": "measure", "title": "目標" });
    let goal = editor.create("/goals", goal).await;
    let address = format!("/plans/{sheet}");
    editor.transition(&address, "submitted", "").await.expect(200);
    let mut copy = fresh(&prefecture).await;
    assert_eq!(copy.ids("goals"), [goal.to_string()]);
    // Deleted, and then the plan withdrawn: the copy keeps neither.
    editor.delete(&format!("/goals/{goal}")).await.expect(204);
    editor
        .transition(&address, "draft", "%E7%A2%BA%E8%AA%8D")
        .await
        .expect(200);
    editor.delete(&address).await.expect(204);
    copy.catch_up(&prefecture, 500).await;
    assert!(copy.ids("plans").is_empty() && copy.ids("goals").is_empty());
}

#[tokio::test]
async fn a_reader_whose_rights_change_is_told_what_to_read_again() {
    let app = TestApp::new().await;
    let (editor, council) = (app.editor().await, app.council().await);
    let shared = |name| with(platform(name), json!({ "visibility": "partners" }));
    let first = editor.create("/platforms", shared("一つ目")).await;
    let second = editor.create("/platforms", shared("二つ目")).await;
    let member = |platform: Uuid| json!({ "platform_id": platform, "kind": "organization", "organization_id": COUNCIL.id, "label": "社協" });
    let mut copy = fresh(&council).await;
    assert!(copy.ids("platforms").is_empty());
    // Whose records were not followed is simply added.
    let joined = editor.create("/members", member(first)).await;
    copy.catch_up(&council, 500).await;
    assert_eq!((copy.ids("platforms"), copy.resyncs), (vec![first.to_string()], 0));
    editor.create("/members", member(second)).await;
    copy.catch_up(&council, 500).await;
    assert_eq!((copy.ids("platforms").len(), copy.resyncs), (2, 1));
    editor.delete(&format!("/members/{joined}")).await.expect(204);
    copy.catch_up(&council, 500).await;
    assert_eq!((copy.ids("platforms"), copy.resyncs), (vec![second.to_string()], 2));
    assert_eq!(copy.records, fresh(&council).await.records);
}

#[tokio::test]
async fn after_a_restored_database_nobody_reads_on_as_if_nothing_had_happened() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    editor.create("/platforms", platform("前")).await;
    let mut copy = fresh(&editor).await;
    // Another timeline, which lacks what was read.
    app.sql("update change_stream set cluster = 'another', last_seq = last_seq")
        .await;
    editor.create("/platforms", platform("後")).await;
    let cursor = copy.cursor.clone().expect("a cursor");
    let reply = editor.get(&format!("/changes?after={cursor}")).await;
    assert_eq!(
        reply.problem(410, "resync_required")["organizations"],
        json!([NANBU.id])
    );
    copy.catch_up(&editor, 500).await;
    assert_eq!((copy.ids("platforms").len(), copy.resyncs), (2, 1));
}

#[tokio::test]
async fn what_is_forgotten_after_400_days_is_missed_by_nobody() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    let kept = editor.create("/platforms", platform("今もある場")).await;
    let gone = editor.create("/platforms", platform("なくなる場")).await;
    let mut early = fresh(&editor).await;
    let address = format!("/platforms/{kept}");
    editor.patch(&address, json!({ "name": "改めた名" })).await.expect(200);
    editor.delete(&format!("/platforms/{gone}")).await.expect(204);
    let mut late = fresh(&editor).await;
    let sql = app.superuser().await;
    sql.batch_execute(
        "set session_replication_role = replica; update change_log set at = at - interval '401 days';
         set session_replication_role = origin; select feed_forget('400 days'); select feed_forget('400 days')",
    )
    .await
    .expect("SQL");
    let left = app
        .texts("select op::text from change_log where entity = 'platforms'", &[])
        .await;
    assert_eq!(left, ["U"], "the newest of what is there, and nothing of what is not");
    // Who was up to date reads on; who stayed away too long begins anew, and has not kept what was deleted.
    late.catch_up(&editor, 500).await;
    early.catch_up(&editor, 500).await;
    assert_eq!((late.resyncs, early.resyncs), (0, 1));
    let today = fresh(&editor).await.records;
    assert_eq!((&late.records, &early.records), (&today, &today));
    assert!(today.contains_key(&format!("platforms {kept}")));
}

#[tokio::test]
async fn a_cursor_that_is_none_is_refused() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    for cursor in ["x", "WzFd", "%00", "AAAA", &"A".repeat(400)] {
        editor
            .get(&format!("/changes?after={cursor}"))
            .await
            .problem(400, "bad_cursor");
    }
    editor
        .get("/changes?as_of=2024-04-01")
        .await
        .problem(400, "as_of_of_changes");
    editor.get("/changes?limit=0").await.expect(422);
    editor.get("/changes?wait=26").await.expect(422);
    app.anonymous().get("/changes").await.problem(401, "unauthenticated");
}

#[tokio::test]
async fn counts_and_checksums_are_those_of_the_copy() {
    let app = TestApp::new().await;
    let editor = app.editor().await;
    for name in ["一", "二", "三"] {
        editor.create("/platforms", platform(name)).await;
    }
    let copy = fresh(&editor).await;
    let counts = editor.get("/changes/counts").await.expect(200);
    assert_eq!(counts["next"].as_str(), copy.cursor.as_deref());
    let mut total = 0;
    for count in counts["items"].as_array().expect("counts") {
        let entity = text(&count["entity"]);
        let of_kind = copy
            .ids(&entity)
            .into_iter()
            .map(|id| &copy.records[&format!("{entity} {id}")]);
        let of_kind: Vec<&Value> = of_kind
            .filter(|r| r["owner_org_id"] == count["organization_id"])
            .collect();
        assert_eq!(count["count"], json!(of_kind.len()), "{entity}");
        let sum = of_kind.iter().fold(0, |sum, record| {
            sum ^ first_eight(&format!("{}:{}", text(&record["id"]), record["version"]))
        });
        assert_eq!(count["checksum"], json!(format!("{sum:016x}")), "{entity}");
        total += of_kind.len();
    }
    assert_eq!(total, copy.records.len());
}

/// The first eight bytes of the SHA-256 of a text.
fn first_eight(text: &str) -> u64 {
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, text.as_bytes());
    hash.as_ref()[..8].iter().fold(0, |n, byte| n << 8 | u64::from(*byte))
}

#[tokio::test]
async fn whatever_is_shared_and_withdrawn_an_old_cursor_leads_to_the_copy_of_today() {
    let app = TestApp::new().await;
    let (editor, admin) = (app.editor().await, app.admin().await);
    let readers = [app.council().await, app.prefecture().await, app.foreign_editor().await];
    let mut platforms = Vec::new();
    let mut sheets = Vec::new();
    for n in 0..4 {
        let at = editor.create("/platforms", platform(&format!("場{n}"))).await;
        editor
            .create("/platform-years", json!({ "platform_id": at, "fiscal_year": 2024 }))
            .await;
        let measured = editor
            .create("/kpis", with(kpi(&format!("指標{n}")), json!({ "platform_id": at })))
            .await;
        editor
            .create("/kpi-series", json!({ "kpi_id": measured, "district": "東" }))
            .await;
        sheets.extend([format!("/platforms/{at}"), format!("/kpis/{measured}")]);
        platforms.push(at);
    }
    let mut copies: Vec<Copy> = readers.iter().map(|_| Copy::default()).collect();
    let mut chance = rand::rng();
    let mut done = 0;
    for round in 0..1000 {
        let sheet = sheets.choose(&mut chance).expect("sheets");
        let steps = [
            "visibility",
            "visibility",
            "submitted",
            "draft",
            "confirmed",
            "published",
            "member",
            "row",
        ];
        let status = match *steps.choose(&mut chance).expect("steps") {
            "visibility" => {
                let visibility = ["organization", "partners", "public"].choose(&mut chance);
                editor.patch(sheet, json!({ "visibility": visibility })).await.status
            }
            "member" => {
                let at = platforms.choose(&mut chance).expect("platforms");
                let there = editor.get(&format!("/members?platform_id={at}")).await.items("id");
                match there.first() {
                    Some(member) => editor.delete(&format!("/members/{}", text(member))).await.status,
                    None => {
                        let member = json!({ "platform_id": at, "kind": "organization", "organization_id": COUNCIL.id, "label": "社協" });
                        editor.post("/members", member).await.status
                    }
                }
            }
            "row" => {
                let at = platforms.choose(&mut chance).expect("platforms");
                let body = json!({ "platform_id": at, "fiscal_year": 2025 });
                let there = editor
                    .get(&format!("/platform-years?platform_id={at}&fiscal_year=2025"))
                    .await
                    .items("id");
                match there.first() {
                    Some(year) => editor.delete(&format!("/platform-years/{}", text(year))).await.status,
                    None => editor.post("/platform-years", body).await.status,
                }
            }
            step @ ("submitted" | "draft") => editor.transition(sheet, step, "%E7%A2%BA%E8%AA%8D").await.status,
            step => admin.transition(sheet, step, "%E7%A2%BA%E8%AA%8D").await.status,
        };
        done += usize::from(status < 300);
        if round % 7 == 0 {
            let reader = round / 7 % readers.len();
            copies[reader].catch_up(&readers[reader], 1 + round % 5).await;
        }
    }
    assert!(done > 300, "{done} of 1,000 steps could be done");
    for (copy, reader) in copies.iter_mut().zip(&readers) {
        copy.catch_up(reader, 3).await;
        let today = fresh(reader).await;
        assert_eq!(copy.records, today.records);
        // And the copy of today is what the lists show, of those whose records are followed.
        for (list, entity) in [("platforms", "platforms"), ("kpis", "kpis"), ("members", "members")] {
            let listed = reader.get(&format!("/{list}?limit=200")).await.expect(200);
            let rows = listed["items"].as_array().cloned().unwrap_or_default();
            let followed = rows
                .iter()
                .filter(|row| copy.read.contains_key(&text(&row["owner_org_id"])));
            let ids: BTreeSet<String> = followed.map(|row| text(&row["id"])).collect();
            assert_eq!(copy.ids(entity).into_iter().collect::<BTreeSet<_>>(), ids, "{entity}");
        }
    }
}
