//! The decision table of policy.toml.

use model::caller::Role;
use model::client::Scope;
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
    scopes: BTreeMap<String, Vec<String>>,
}

/// Every grant there is.
pub type Grant = (Role, String, Action, Relation);

static TABLE: LazyLock<Table> =
    LazyLock::new(|| toml::from_str(include_str!("../policy.toml")).expect("policy.toml is checked by a test"));

static GRANTS: LazyLock<HashSet<Grant>> = LazyLock::new(|| {
    let table = &*TABLE;
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
fn allows(role: Role, resource: &str, action: Action, relation: Relation) -> bool {
    GRANTS.contains(&(role, resource.to_owned(), action, relation))
}

/// What a caller may do: what his role may, within the scope of his token.
#[derive(Clone, Debug)]
pub struct Rights {
    role: Role,
    /// None: everything that the role may.
    scopes: Option<Vec<Scope>>,
}

impl Rights {
    /// A token holds what was asked for; the system may have got or lost something since.
    pub fn new(role: Role, token: Option<Vec<Scope>>, system: &[Scope]) -> Self {
        let scopes = match (token, system) {
            (token, []) => token,
            (None, system) => Some(system.to_vec()),
            (Some(token), system) => {
                let both = [(&token[..], system), (system, &token[..])];
                let within = both.map(|(these, those)| these.iter().filter(|scope| scope.is_within(those)));
                Some(within.into_iter().flatten().copied().collect())
            }
        };
        Self { role, scopes }
    }

    /// The scopes, where there are any.
    pub fn scopes(&self) -> Option<&[Scope]> {
        self.scopes.as_deref()
    }

    /// May this be done with a record that stands so to the caller?
    pub fn allow(&self, resource: &str, action: Action, relation: Relation) -> bool {
        allows(self.role, resource, action, relation) && self.cover(resource, action)
    }

    /// May this be done with some record of this kind?
    pub fn allow_any(&self, resource: &str, action: Action) -> bool {
        [Relation::Own, Relation::Slot, Relation::Seen]
            .into_iter()
            .any(|relation| self.allow(resource, action, relation))
    }

    /// The scope that the token lacks for this, if it is the scope that is in the way.
    pub fn missing(&self, resource: &str, action: Action) -> Option<String> {
        if self.cover(resource, action) {
            return None;
        }
        let kinds = TABLE
            .scopes
            .iter()
            .find(|(_, kinds)| kinds.iter().any(|kind| kind == resource));
        let action = if action == Action::Read { "read" } else { "write" };
        Some(format!("{}:{action}", kinds.map_or(resource, |(name, _)| name)))
    }

    fn cover(&self, resource: &str, action: Action) -> bool {
        let holds = |kinds: &str| {
            let kinds = TABLE.scopes.get(kinds);
            kinds.is_some_and(|kinds| kinds.iter().any(|kind| kind == resource))
        };
        self.scopes.as_ref().is_none_or(|scopes| {
            let mut scopes = scopes.iter().map(|scope| scope.parts());
            holds("always") || scopes.any(|(kinds, writes)| (writes || action == Action::Read) && holds(kinds))
        })
    }
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

    #[test]
    fn every_scope_names_kinds_and_every_kind_a_scope() {
        for scope in Scope::ALL {
            assert!(TABLE.scopes.contains_key(scope.parts().0), "{scope:?}");
        }
        for kind in TABLE.groups.values().flatten().filter(|kind| *kind != "municipalities") {
            let covered = TABLE
                .scopes
                .values()
                .flatten()
                .filter(|covered| *covered == kind)
                .count();
            assert_eq!(covered, 1, "{kind}");
        }
    }
}
