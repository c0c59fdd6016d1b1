//! The demo data: towns with their platforms and plans, entered through the API like everybody's data.
//!
//! What it shows of towns that exist are facts and figures they published; the texts are the project's own, and values
//! that nobody published say so in their source.

use crate::{
    entry::{Api, Entry},
    error::{Context, Result},
    fail,
    service::Settings,
};
use serde_json::{Value, json};

/// A demo account, one per role.
pub struct Account {
    /// What it may do, in Japanese as on the screen.
    pub role: &'static str,
    /// What to sign in with.
    pub email: &'static str,
    /// Its organisation among the demo data.
    organization: &'static str,
    /// Its role there, as the API names it.
    code: &'static str,
}

/// The domain of all demo accounts; nobody receives mail there (RFC 2606).
pub const DOMAIN: &str = "demo.example.jp";

/// Made by the server itself; enters organisations and accounts.
const FIRST: &str = "system-admin@demo.example.jp";

const fn account(role: &'static str, email: &'static str, organization: &'static str, code: &'static str) -> Account {
    Account {
        role,
        email,
        organization,
        code,
    }
}

/// All demo accounts; they share one password.
pub const ACCOUNTS: &[Account] = &[
    account(
        "南部町 編集者",
        "municipality-editor@demo.example.jp",
        "nanbu",
        "municipality_editor",
    ),
    account(
        "南部町 管理者",
        "municipality-admin@demo.example.jp",
        "nanbu",
        "municipality_admin",
    ),
    account(
        "南部町 閲覧者",
        "municipality-viewer@demo.example.jp",
        "nanbu",
        "municipality_viewer",
    ),
    account("南部町 監査担当", "auditor@demo.example.jp", "nanbu", "auditor"),
    account(
        "南部町社会福祉協議会 編集者",
        "council-editor@demo.example.jp",
        "nanbu-council",
        "council_editor",
    ),
    account(
        "南さいはく地域振興協議会 担当者",
        "partner@demo.example.jp",
        "regional-5",
        "partner",
    ),
    account(
        "鳥取市 編集者",
        "tottori-editor@demo.example.jp",
        "town-312011",
        "municipality_editor",
    ),
    account(
        "鳥取市 管理者",
        "tottori-admin@demo.example.jp",
        "town-312011",
        "municipality_admin",
    ),
    account(
        "麒麟のまち圏域 事務局",
        "secretariat@demo.example.jp",
        "kirin",
        "joint_body_secretariat",
    ),
    account(
        "鳥取県 編集者",
        "prefecture-editor@demo.example.jp",
        "tottori-pref",
        "prefecture_editor",
    ),
    account(
        "鳥取県 管理者",
        "prefecture-admin@demo.example.jp",
        "tottori-pref",
        "prefecture_admin",
    ),
    account("鳥取県 分析担当", "analyst@demo.example.jp", "tottori-pref", "analyst"),
    account(
        "鳥取県社会福祉協議会 アドバイザー",
        "adviser@demo.example.jp",
        "pref-council",
        "adviser",
    ),
    account("システム管理者", FIRST, "", "system_admin"),
];

/// Makes the first administrator, who enters everything else. Called once, before `load`.
pub fn first_admin(server: &Settings, password: &str) -> Result<()> {
    server.create_admin(FIRST, password, "つなぎ運営")
}

/// Enters the demo data into the server at `base_url`; every account gets `password`.
pub fn load(base_url: &str, password: &str) -> Result<()> {
    let mut api = Api::new(base_url, DOMAIN, password);
    enter(&mut api)?;
    let path = api.path("clients/@client/secrets")?;
    let secret = api.post("council-editor", &path, &json!({}), "demo-client-secret", None)?;
    // A repeated load gets no second secret: the first one was shown.
    if let (Some(id), Some(secret)) = (secret.body["client_id"].as_str(), secret.body["client_secret"].as_str()) {
        println!("    system of a council (client credentials), shown only now: {id} {secret}");
    } else if secret.status >= 300 {
        fail!("the system of the council got no secret: {}", secret.status);
    }
    Ok(())
}

/// Enters everything and answers what was entered.
pub fn enter(api: &mut Api) -> Result<Vec<Entry>> {
    let mut all = Vec::new();
    for (name, entries) in [
        ("founding", founding()?),
        ("nanbu", entries("nanbu.json", include_str!("../demo/nanbu.json"))?),
        (
            "tottori",
            entries("tottori.json", include_str!("../demo/tottori.json"))?,
        ),
    ] {
        api.enter(&format!("demo-{name}"), &entries)?;
        all.extend(entries);
    }
    Ok(all)
}

/// The organisations and accounts that everything else needs.
pub fn founding() -> Result<Vec<Entry>> {
    let mut all = entries("organizations.json", include_str!("../demo/organizations.json"))?;
    for account in ACCOUNTS.iter().filter(|account| !account.organization.is_empty()) {
        let Some((name, _)) = account.email.split_once('@') else {
            fail!("{} is no address", account.email)
        };
        let user = format!("user-{name}");
        let mut add = |resource: String, key: Option<String>, fields: Value| {
            if let Value::Object(fields) = fields {
                all.push(Entry {
                    caller: "system-admin".into(),
                    resource,
                    key,
                    fields,
                });
            }
        };
        add(
            format!("organizations/@{}/users", account.organization),
            Some(user.clone()),
            json!({"email": account.email, "name": account.role}),
        );
        add(
            format!("organizations/@{}/user-roles", account.organization),
            Some(format!("{user}-role")),
            json!({"user_id": format!("@{user}"), "role": account.code, "valid_from": "2021-04-01"}),
        );
        add(
            format!("users/@{user}/password"),
            None,
            json!({"password": "$password"}),
        );
    }
    Ok(all)
}

fn entries(name: &str, text: &str) -> Result<Vec<Entry>> {
    serde_json::from_str(text).could_not(|| format!("understand {name}"))
}

/// The password of the demo accounts: the chosen one, else a new one. The bool says that it is new.
pub fn password() -> (String, bool) {
    match std::env::var("TSUNAGI_DEMO_PASSWORD") {
        Ok(chosen) if !chosen.is_empty() => (chosen, false),
        _ => (generated(), true),
    }
}

/// Easy to read aloud and to type: no letters that look alike.
fn generated() -> String {
    use rand::seq::IndexedRandom;
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut random = rand::rng();
    let group = |random: &mut rand::rngs::ThreadRng| -> String {
        (0..5)
            .filter_map(|_| LETTERS.choose(random))
            .map(|letter| char::from(*letter))
            .collect()
    };
    [
        group(&mut random),
        group(&mut random),
        group(&mut random),
        group(&mut random),
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn generated_passwords_are_long_and_differ() {
        let (one, two) = (generated(), generated());
        assert_eq!(one.len(), 23);
        assert_ne!(one, two);
    }

    #[test]
    fn every_entry_has_a_caller_and_refers_only_to_what_was_before() {
        let callers: HashSet<&str> = ACCOUNTS.iter().filter_map(|a| a.email.split('@').next()).collect();
        let mut known: HashSet<String> = HashSet::new();
        let mut all = founding().unwrap();
        all.extend(entries("nanbu", include_str!("../demo/nanbu.json")).unwrap());
        all.extend(entries("tottori", include_str!("../demo/tottori.json")).unwrap());
        assert!(all.len() > 300, "{}", all.len());
        for entry in &all {
            assert!(callers.contains(entry.caller.as_str()), "{}", entry.caller);
            let text = json!([entry.resource, entry.fields]).to_string();
            for part in text.split(['"', '/']).filter_map(|part| part.strip_prefix('@')) {
                assert!(known.contains(part), "@{part} is not known yet");
            }
            if let Some(key) = &entry.key {
                assert!(known.insert(key.clone()), "@{key} twice");
            }
        }
    }

    /// The demo data tells facts and figures in words of its own: no run of sixteen characters of the seed documents,
    /// but for names. Needs the documents; says so where they are absent.
    #[test]
    fn the_demo_data_uses_its_own_words() {
        const NAMES: [&str; 10] = [
            "専門機関における相談機能の強化・充実",
            "相談機能の強化と包括的支援体制の構築",
            "共生型総合相談体制の構築",
            "集落での支え愛マップづくりの実施率",
            "コミュニティソーシャルワーカー（CSW）",
            "つながりサポーターの取組のブランディング・広報",
            "つながりサポーター養成講座の開催・展開の検討",
            "麒麟のまち孤独・孤立対策官民連携PFの開催",
            "孤独・孤立対策官民連携プラットフォーム",
            "鳥取市総務部人権政策局 中央人権福祉センター",
        ];
        let Some(dir) = crate::acceptance::seeds() else {
            eprintln!("NOT RUN: the seed documents are not here");
            return;
        };
        let printed: String = std::fs::read_dir(dir.join("seed-data"))
            .unwrap()
            .filter_map(|file| std::fs::read_to_string(file.unwrap().path()).ok())
            .collect();
        let mut texts = Vec::new();
        for entry in entries("nanbu", include_str!("../demo/nanbu.json"))
            .unwrap()
            .into_iter()
            .chain(entries("tottori", include_str!("../demo/tottori.json")).unwrap())
        {
            texts_of(&Value::Object(entry.fields), &mut texts);
        }
        for text in texts {
            let own = NAMES.iter().fold(text.clone(), |text, name| text.replace(name, "\n"));
            let letters: Vec<char> = own.chars().collect();
            for run in letters.windows(16).filter(|run| run.iter().any(|c| *c > '\u{3000}')) {
                let run: String = run.iter().collect();
                assert!(!printed.contains(&run), "{text}: {run} is a text of the seed documents");
            }
        }
    }

    fn texts_of(value: &Value, texts: &mut Vec<String>) {
        match value {
            Value::String(text) => texts.push(text.clone()),
            Value::Array(items) => items.iter().for_each(|item| texts_of(item, texts)),
            Value::Object(map) => map.values().for_each(|item| texts_of(item, texts)),
            _ => {}
        }
    }
}
