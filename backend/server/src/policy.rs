//! The decision table of policy.toml.

use model::caller::Role;
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::sync::LazyLock;

/// How a record stands to the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Relation {
    /// It belongs to the caller's organisation.
    Own,
    /// It is the caller's column, line or row in somebody else's record.
    Slot,
    /// It is somebody else's, and row-level security lets the caller see it.
    Seen,
}

/// What can be done with a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    Read,
    Create,
    Update,
    Delete,
    Transit,
    Confirm,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Names {
    Group(String),
    List(Vec<String>),
}

#[derive(Deserialize)]
struct Rule {
    roles: Names,
    resources: Vec<String>,
    #[serde(default)]
    own: Vec<Action>,
    #[serde(default)]
    slot: Vec<Action>,
    #[serde(default)]
    seen: Vec<Action>,
}

#[derive(Deserialize)]
struct Table {
    groups: BTreeMap<String, Vec<String>>,
    roles: BTreeMap<String, Vec<String>>,
    rules: Vec<Rule>,
}

/// Every grant there is.
pub type Grant = (Role, String, Action, Relation);

static GRANTS: LazyLock<HashSet<Grant>> = LazyLock::new(|| {
    let table: Table = toml::from_str(include_str!("../policy.toml")).expect("policy.toml is checked by a test");
    let mut grants = HashSet::new();
    for rule in &table.rules {
        let roles = match &rule.roles {
            Names::Group(name) => &table.roles[name],
            Names::List(names) => names,
        };
        for role in roles {
            let role: Role = role.parse().expect("policy.toml is checked by a test");
            for resource in &rule.resources {
                let single = vec![resource.clone()];
                for resource in table.groups.get(resource).unwrap_or(&single) {
                    for (relation, actions) in [
                        (Relation::Own, &rule.own),
                        (Relation::Slot, &rule.slot),
                        (Relation::Seen, &rule.seen),
                    ] {
                        grants.extend(actions.iter().map(|action| (role, resource.clone(), *action, relation)));
                    }
                }
            }
        }
    }
    grants
});

/// May a caller of this role do this with a record that stands to him so?
pub fn allows(role: Role, resource: &str, action: Action, relation: Relation) -> bool {
    GRANTS.contains(&(role, resource.to_owned(), action, relation))
}

/// May a caller of this role do this with some record of this kind?
pub fn allows_any(role: Role, resource: &str, action: Action) -> bool {
    [Relation::Own, Relation::Slot, Relation::Seen]
        .into_iter()
        .any(|relation| allows(role, resource, action, relation))
}

/// Every grant, in order: for the documentation and for `GET /me`.
pub fn grants() -> Vec<Grant> {
    let mut grants: Vec<_> = GRANTS.iter().cloned().collect();
    grants.sort();
    grants
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_can_be_read_and_grants_what_it_says() {
        assert!(allows(Role::MunicipalityEditor, "kpis", Action::Update, Relation::Own));
        assert!(!allows(Role::MunicipalityViewer, "kpis", Action::Update, Relation::Own));
        assert!(!allows(
            Role::MunicipalityEditor,
            "kpis",
            Action::Update,
            Relation::Seen
        ));
        assert!(allows(Role::Partner, "roadmap_items", Action::Create, Relation::Slot));
        assert!(!allows(
            Role::SystemAdmin,
            "project_costs",
            Action::Read,
            Relation::Seen
        ));
    }
}
