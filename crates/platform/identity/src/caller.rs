//! Who calls: the account, token or agent behind a request, its roles per team, and what follows from them.
//!
//! Deliberately absent: how a request proves who it is from (`authenticate`).

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::permission::{Permission, Permissions, Reach, Role};
use super::refusal::Refusal;

/// The team that stands for all teams in a binding.
pub(crate) const ALL_TEAMS: &str = "*";

/// A role held in a team, or in all of them.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) struct Binding {
    /// The team's name; `*` means all teams.
    pub(crate) team: String,
    /// What may be done there.
    #[schema(value_type = String, example = "viewer")]
    pub(crate) role: Role,
}

impl Binding {
    /// From how the store has it, where no team means all teams.
    pub(super) fn new(role: Role, team: Option<&str>) -> Self {
        Self { team: team.unwrap_or(ALL_TEAMS).to_owned(), role }
    }

    /// The team as the store has it.
    pub(super) fn stored_team(&self) -> Option<String> {
        (self.team != ALL_TEAMS).then(|| self.team.clone())
    }

    /// Whether the holder of `self` may hand out `other`.
    pub(crate) fn covers(&self, other: &Self, permissions: &Permissions) -> bool {
        (self.team == ALL_TEAMS || self.team == other.team) && permissions.covers(self.role, other.role)
    }
}

/// The teams whose things a caller may see or change with one permission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Teams {
    /// All, and also what belongs to no team.
    All,
    /// These, and nothing that belongs to no team.
    Only(BTreeSet<String>),
}

impl Teams {
    /// Whether something that belongs to `team` (`None`: to nobody) is within.
    pub fn contains(&self, team: Option<&str>) -> bool {
        match self {
            Self::All => true,
            Self::Only(teams) => team.is_some_and(|team| teams.contains(team)),
        }
    }

    /// The names to filter by in a query; `None` means no filter.
    pub fn filter(&self) -> Option<Vec<String>> {
        match self {
            Self::All => None,
            Self::Only(teams) => Some(teams.iter().cloned().collect()),
        }
    }
}

/// How a request proved who it is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Method {
    /// A cookie of a session that began at a login.
    Session,
    /// An API token.
    Token,
    /// An agent's client certificate.
    Certificate,
}

/// Who sent a request. Only `identity` makes one, after it has checked the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) method: Method,
    /// The session, token or agent that the proof belongs to.
    pub(super) credential: String,
    pub(super) bindings: Vec<Binding>,
    pub(super) address: IpAddr,
}

impl Caller {
    /// Identifier of the account, or of the agent. It never changes and is what four eyes are compared by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What a person calls the caller.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How the caller was recognised.
    pub(crate) const fn method(&self) -> Method {
        self.method
    }

    /// Identifier of the session, token or agent by which the caller was recognised; no secret.
    pub(crate) fn credential(&self) -> &str {
        &self.credential
    }

    /// The roles held, by team.
    pub(crate) fn bindings(&self) -> &[Binding] {
        &self.bindings
    }

    /// Where the request came from, behind trusted proxies.
    pub(crate) const fn address(&self) -> IpAddr {
        self.address
    }

    /// The teams in which the caller holds `permission`; `None` where it holds it nowhere.
    pub fn teams(&self, permission: Permission) -> Option<Teams> {
        let held = || self.bindings.iter().filter(|binding| permission.is_carried_by(binding.role));
        if held().any(|binding| binding.team == ALL_TEAMS) {
            return Some(Teams::All);
        }
        let teams: BTreeSet<_> = held().map(|binding| binding.team.clone()).collect();
        (!teams.is_empty()).then_some(Teams::Only(teams))
    }

    /// Whether the caller may hand out `binding`: it covers no more than what the caller holds.
    pub(crate) fn may_grant(&self, binding: &Binding, permissions: &Permissions) -> bool {
        self.bindings.iter().any(|held| held.covers(binding, permissions))
    }
}

/// Whether `caller` has `permission`, and in which teams.
pub fn authorize(caller: &Caller, permission: Permission) -> Result<Teams, Refusal> {
    let is_agent = caller.method == Method::Certificate;
    let teams = match permission.reach() {
        Reach::Agent => is_agent.then_some(Teams::All),
        _ if is_agent => None,
        Reach::Own => Some(caller.teams(permission).unwrap_or(Teams::Only(BTreeSet::new()))),
        Reach::Team => caller.teams(permission),
        Reach::Platform => caller.teams(permission).filter(|teams| *teams == Teams::All),
    };
    teams.ok_or(Refusal::Forbidden(permission))
}

/// Four eyes: refuses the approval of a request that the approver made.
pub fn four_eyes(approver: &Caller, requested_by: &str) -> Result<(), Refusal> {
    if approver.id == requested_by { Err(Refusal::OwnRequest) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::permission::tests::{APPROVE, permissions};
    use crate::permission::{INGEST, MANAGE_ACCOUNTS, READ};

    fn caller(bindings: &[(Role, Option<&str>)], method: Method) -> Caller {
        Caller {
            id: "account".into(),
            name: "somebody".into(),
            method,
            credential: "credential".into(),
            bindings: bindings.iter().map(|(role, team)| Binding::new(*role, *team)).collect(),
            address: Ipv4Addr::LOCALHOST.into(),
        }
    }

    #[test]
    fn a_team_role_shows_the_team_and_nothing_without_an_owner() {
        let teams = authorize(&caller(&[(Role::Developer, Some("shop"))], Method::Session), READ).unwrap();
        assert!(teams.contains(Some("shop")));
        assert!(!teams.contains(Some("pay")) && !teams.contains(None));
        assert_eq!(teams.filter(), Some(vec!["shop".to_owned()]));
    }

    #[test]
    fn teams_are_those_of_the_permission_not_of_every_role() {
        let roles = [(Role::Viewer, None), (Role::Approver, Some("shop"))];
        let caller = caller(&roles, Method::Token);
        assert_eq!(authorize(&caller, READ).unwrap(), Teams::All);
        assert_eq!(authorize(&caller, APPROVE).unwrap().filter(), Some(vec!["shop".to_owned()]));
    }

    #[test]
    fn what_all_teams_share_needs_a_role_in_all_teams() {
        let local = caller(&[(Role::Admin, Some("shop"))], Method::Session);
        assert!(matches!(authorize(&local, MANAGE_ACCOUNTS), Err(Refusal::Forbidden(_))));
        let global = caller(&[(Role::Admin, None)], Method::Session);
        assert!(authorize(&global, MANAGE_ACCOUNTS).is_ok());
    }

    #[test]
    fn agents_ingest_and_do_nothing_else_and_nobody_else_ingests() {
        let agent = caller(&[(Role::Admin, None)], Method::Certificate);
        let held = permissions();
        let permitted = held.iter().filter(|permission| authorize(&agent, *permission).is_ok()).collect::<Vec<_>>();
        assert_eq!(permitted, [INGEST]);
        let admin = caller(&[(Role::Admin, None)], Method::Session);
        assert!(authorize(&admin, INGEST).is_err());
    }

    #[test]
    fn nobody_grants_more_than_he_holds_or_approves_what_he_asked_for() {
        let operator = caller(&[(Role::Operator, Some("shop"))], Method::Session);
        let may_grant = |role, team| operator.may_grant(&Binding::new(role, team), &permissions());
        assert!(may_grant(Role::Developer, Some("shop")));
        assert!(!may_grant(Role::Developer, None));
        assert!(!may_grant(Role::Approver, Some("shop")));
        assert!(matches!(four_eyes(&operator, "account"), Err(Refusal::OwnRequest)));
        assert!(four_eyes(&operator, "somebody else").is_ok());
    }
}
