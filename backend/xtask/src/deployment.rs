//! What can be known about the container files without a container engine: that they fit each other, the
//! clone, and the settings the server knows.

use crate::layout;
use std::{collections::BTreeSet, fs};
use yaml_rust2::{Yaml, YamlLoader};

/// Everything the server reads from its environment.
const SETTINGS: &[&str] = &[
    "DATABASE_URL",
    "MIGRATION_DATABASE_URL",
    "RUST_LOG",
    "TSUNAGI_BEHIND_PROXY",
    "TSUNAGI_CONNECTIONS",
    "TSUNAGI_DEMO",
    "TSUNAGI_KEY_FILE",
    "TSUNAGI_LISTEN",
    "TSUNAGI_PUBLIC_URL",
    "TSUNAGI_WEBHOOK_NETWORKS",
    "TSUNAGI_WEBHOOK_SCHEDULE",
    "TSUNAGI_WEBHOOK_TIMEOUT",
];

fn text(file: &str) -> String {
    fs::read_to_string(layout::path(file)).unwrap_or_else(|cause| panic!("{file}: {cause}"))
}

fn compose() -> Yaml {
    let mut documents = YamlLoader::load_from_str(&text("docker-compose.yml")).unwrap();
    assert_eq!(documents.len(), 1);
    documents.remove(0)
}

fn keys(yaml: &Yaml) -> BTreeSet<String> {
    let hash = yaml.as_hash().into_iter().flatten();
    hash.filter_map(|(key, _)| key.as_str().map(str::to_owned)).collect()
}

fn strings(yaml: &Yaml) -> Vec<String> {
    let items = yaml.as_vec().into_iter().flatten();
    items.filter_map(|item| item.as_str().map(str::to_owned)).collect()
}

/// Instructions of a Dockerfile: comments gone, continued lines joined.
fn instructions() -> Vec<(String, String)> {
    let joined = text("backend/Dockerfile").replace("\\\n", " ");
    joined
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (word, rest) = line.split_once(' ').unwrap();
            (word.to_owned(), rest.trim().to_owned())
        })
        .collect()
}

/// The instructions of the stage that runs.
fn last_stage() -> Vec<(String, String)> {
    let all = instructions();
    let begin = all.iter().rposition(|(word, _)| word == "FROM").unwrap();
    all[begin..].to_vec()
}

fn only<'a>(stage: &'a [(String, String)], word: &str) -> &'a str {
    let found: Vec<&str> = stage
        .iter()
        .filter(|(w, _)| w == word)
        .map(|(_, rest)| rest.as_str())
        .collect();
    assert_eq!(found.len(), 1, "one {word} in the last stage");
    found[0]
}

#[test]
fn compose_has_postgres_and_the_server_with_health_checks() {
    let compose = compose();
    let services = &compose["services"];
    assert_eq!(
        keys(services),
        ["migrate", "postgres", "server"].map(String::from).into()
    );
    for name in ["postgres", "server"] {
        let check = &services[name]["healthcheck"];
        assert!(strings(&check["test"]).len() >= 2, "{name} has a health check");
        assert!(check["interval"].as_str().is_some() && check["retries"].as_i64().is_some());
    }
    assert!(
        strings(&services["server"]["healthcheck"]["test"])
            .concat()
            .contains("/healthz")
    );
    let waits = &services["server"]["depends_on"];
    assert_eq!(waits["postgres"]["condition"].as_str(), Some("service_healthy"));
    assert_eq!(
        waits["migrate"]["condition"].as_str(),
        Some("service_completed_successfully")
    );
}

#[test]
fn nothing_of_ours_runs_as_root_or_with_privileges() {
    let compose = compose();
    let user = only(&last_stage(), "USER").to_owned();
    assert!(
        user.split(':').all(|id| id.parse::<u32>().unwrap() > 0),
        "USER {user} is a number above 0"
    );
    for name in ["migrate", "server"] {
        let service = &compose["services"][name];
        assert_eq!(
            service["user"].as_str(),
            Some(user.as_str()),
            "{name}: the image's user"
        );
        assert_eq!(service["read_only"].as_bool(), Some(true));
        assert_eq!(strings(&service["cap_drop"]), ["ALL"]);
        assert_eq!(strings(&service["security_opt"]), ["no-new-privileges:true"]);
    }
}

#[test]
fn only_settings_that_the_server_knows_are_set() {
    let compose = compose();
    for name in ["migrate", "server"] {
        for setting in keys(&compose["services"][name]["environment"]) {
            assert!(
                SETTINGS.contains(&setting.as_str()),
                "{name}: unknown setting {setting}"
            );
        }
    }
    for (word, rest) in last_stage() {
        if word == "ENV" {
            for pair in rest.split_whitespace() {
                let name = pair.split('=').next().unwrap();
                assert!(SETTINGS.contains(&name), "Dockerfile: unknown setting {name}");
            }
        }
    }
    let guide = text("docs/DEPLOYMENT.md");
    for setting in SETTINGS {
        assert!(
            guide.contains(&format!("`{setting}`")),
            "{setting} stands in docs/DEPLOYMENT.md"
        );
    }
}

#[test]
fn the_serving_container_cannot_change_tables() {
    let compose = compose();
    let environment = &compose["services"]["server"]["environment"];
    assert!(environment["MIGRATION_DATABASE_URL"].is_badvalue());
    assert!(
        environment["DATABASE_URL"]
            .as_str()
            .unwrap()
            .starts_with("postgresql://tsunagi_app:")
    );
    let migrating = &compose["services"]["migrate"]["environment"]["MIGRATION_DATABASE_URL"];
    let superuser = compose["services"]["postgres"]["environment"]["POSTGRES_USER"]
        .as_str()
        .unwrap();
    assert!(
        migrating
            .as_str()
            .unwrap()
            .starts_with(&format!("postgresql://{superuser}:"))
    );
    for port in strings(&compose["services"]["server"]["ports"]) {
        assert!(
            port.starts_with("127.0.0.1:"),
            "{port}: only for the proxy on this machine"
        );
    }
}

#[test]
fn the_database_is_made_as_the_product_needs_it() {
    let compose = compose();
    let arguments = compose["services"]["postgres"]["environment"]["POSTGRES_INITDB_ARGS"]
        .as_str()
        .unwrap();
    assert!(arguments.contains("--locale=C.UTF-8") && arguments.contains("--encoding=UTF8"));
    let script = "docs/deploy/roles.sh";
    let mounts = strings(&compose["services"]["postgres"]["volumes"]);
    assert!(
        mounts
            .iter()
            .any(|mount| mount.starts_with(&format!("./{script}:/docker-entrypoint-initdb.d/")))
    );
    for statement in ["create role tsunagi_owner nologin", "create role tsunagi_app login"] {
        assert!(text(script).contains(statement));
    }
}

#[test]
fn every_variable_stands_in_the_example() {
    let example = text("docs/deploy/env.example");
    let compose = text("docker-compose.yml");
    let used: BTreeSet<&str> = compose
        .split("${")
        .skip(1)
        .map(|rest| rest.split([':', '}', '-']).next().unwrap())
        .collect();
    assert!(!used.is_empty());
    for name in used {
        assert!(
            example.lines().any(|line| line.starts_with(&format!("{name}="))),
            "{name}"
        );
    }
}

#[test]
fn every_named_volume_is_declared() {
    let compose = compose();
    let declared = keys(&compose["volumes"]);
    for name in keys(&compose["services"]) {
        for mount in strings(&compose["services"][name.as_str()]["volumes"]) {
            let source = mount.split(':').next().unwrap();
            assert!(
                source.starts_with("./") || declared.contains(source),
                "{name}: {source}"
            );
        }
    }
}

#[test]
fn the_image_is_built_in_stages_from_what_is_there() {
    let all = instructions();
    let ignored: Vec<String> = text(".dockerignore")
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.trim_end_matches('/').to_owned())
        .collect();
    let mut stages: Vec<&str> = Vec::new();
    for (word, rest) in &all {
        match word.as_str() {
            "FROM" => {
                let words: Vec<&str> = rest.split_whitespace().collect();
                assert!(
                    !words[0].ends_with(":latest") && words[0].contains(':'),
                    "{rest}: a fixed version"
                );
                stages.push(words.get(2).copied().unwrap_or_default());
            }
            "COPY" => {
                let words: Vec<&str> = rest.split_whitespace().collect();
                if let Some(stage) = words[0].strip_prefix("--from=") {
                    assert!(stages.contains(&stage), "COPY --from={stage}: no such stage");
                    continue;
                }
                for source in &words[..words.len() - 1] {
                    assert!(layout::path(source).exists(), "COPY {source}: not in the clone");
                    assert!(!ignored.iter().any(|line| line == source), "COPY {source}: ignored");
                }
            }
            _ => {}
        }
    }
    assert_eq!(stages.len(), 3, "pages, build, run");
}

#[test]
fn the_image_knows_when_it_is_well() {
    let stage = last_stage();
    assert!(only(&stage, "HEALTHCHECK").contains("/healthz"));
    let port = only(&stage, "EXPOSE");
    assert!(only(&stage, "ENV").contains(&format!("TSUNAGI_LISTEN=0.0.0.0:{port}")));
    assert!(only(&stage, "ENTRYPOINT").contains("server"));
}

#[test]
fn all_members_of_the_workspace_reach_the_image() {
    let copied: Vec<String> = instructions()
        .into_iter()
        .filter(|(word, rest)| word == "COPY" && !rest.starts_with("--from"))
        .flat_map(|(_, rest)| rest.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    let manifest = text("Cargo.toml");
    let members = manifest.split("members = [").nth(1).unwrap().split(']').next().unwrap();
    for member in members.split('"').filter(|part| part.contains(char::is_alphabetic)) {
        let top = member.split('/').next().unwrap();
        assert!(copied.iter().any(|source| source == top), "{member} is not copied");
    }
}
