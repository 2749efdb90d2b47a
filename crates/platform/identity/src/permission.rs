//! Permissions, and which roles carry each.
//!
//! A permission is declared once, beside the routes that ask for it, with the roles that carry it; [`Permissions`] are
//! all that a server has, so that "who may do what" can be read in one place. Identity's own, and the one that every
//! list asks for, are here. Deliberately absent: who the caller is (`caller`) and how a request is refused (`refusal`).

use std::fmt;
use std::sync::Arc;

pub use palisade_store::Role;

use Role::{Admin, Approver, Developer, Operator, Viewer};

/// Every role.
pub const EVERYBODY: &[Role] = &[Viewer, Developer, Operator, Approver, Admin];

/// See and end one's own session.
pub const OWN_SESSION: Permission =
    Permission::new("own-session", "see and end one's own session", Reach::Own, EVERYBODY);
/// List, create and revoke one's own API tokens.
pub const OWN_TOKENS: Permission =
    Permission::new("own-tokens", "list, create and revoke one's own API tokens", Reach::Own, EVERYBODY);
/// Read what is recorded and judged: findings, resources, decisions, policies, exceptions, owners.
pub const READ: Permission = Permission::new("read", "read what was judged, and by what", Reach::Team, EVERYBODY);
/// Issue join tokens, list and revoke agents.
pub const MANAGE_AGENTS: Permission =
    Permission::new("manage-agents", "invite, list and revoke agents", Reach::Platform, &[Operator, Admin]);
/// Change accounts, their role bindings and sessions, and everybody's tokens.
pub const MANAGE_ACCOUNTS: Permission = Permission::new(
    "manage-accounts",
    "change accounts, their roles and sessions, and everybody's tokens",
    Reach::Platform,
    &[Admin],
);
/// Deliver events and results as an agent, and renew its certificate.
pub const INGEST: Permission =
    Permission::new("ingest", "deliver as an agent, and renew its certificate", Reach::Agent, &[]);

/// Identity's own.
pub const OWN: &[Permission] = &[OWN_SESSION, OWN_TOKENS, READ, MANAGE_AGENTS, MANAGE_ACCOUNTS, INGEST];

/// What a route needs of its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permission {
    name: &'static str,
    about: &'static str,
    reach: Reach,
    roles: &'static [Role],
}

/// Where a permission has to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// It concerns the caller only; everybody who is known has it.
    Own,
    /// In at least one team; what is shown or changed is limited to the teams in which it is held.
    Team,
    /// In all teams (`*`), because what changes is shared by all.
    Platform,
    /// Only agents hold it, by their certificate.
    Agent,
}

impl Permission {
    /// The permission `name` to do what `about` says, carried by `roles`.
    pub const fn new(name: &'static str, about: &'static str, reach: Reach, roles: &'static [Role]) -> Self {
        Self { name, about, reach, roles }
    }

    /// How messages and the OpenAPI document name the permission.
    pub const fn as_str(&self) -> &'static str {
        self.name
    }

    /// What it permits.
    pub const fn about(&self) -> &'static str {
        self.about
    }

    /// Where it has to be held.
    pub const fn reach(&self) -> Reach {
        self.reach
    }

    /// The roles that carry it.
    pub const fn roles(&self) -> &'static [Role] {
        self.roles
    }

    /// Whether `role` carries it.
    pub fn is_carried_by(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

impl palisade_api::Permission for Permission {
    fn name(&self) -> &'static str {
        self.name
    }
}

/// All permissions that routes of a server ask for. Clones share them.
#[derive(Clone, Debug)]
pub struct Permissions(Arc<[Permission]>);

impl Permissions {
    /// These, each once, in the order in which they are shown: identity's own first.
    pub fn all(permissions: impl IntoIterator<Item = Permission>) -> Self {
        let mut all = OWN.to_vec();
        all.extend(permissions.into_iter().filter(|permission| !OWN.contains(permission)));
        Self(all.into())
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = Permission> {
        self.0.iter().copied()
    }

    /// Whether `role` carries every permission that `other` carries, so that its holder may hand `other` out.
    ///
    /// Roles are not a ladder: an approver is not a better operator, and neither covers the other.
    pub fn covers(&self, role: Role, other: Role) -> bool {
        self.iter().all(|permission| !permission.is_carried_by(other) || permission.is_carried_by(role))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// What an approver alone may do.
    pub(crate) const APPROVE: Permission = Permission::new("approve", "approve", Reach::Team, &[Approver, Admin]);
    /// What an approver may not do.
    const REQUEST: Permission = Permission::new("request", "ask", Reach::Team, &[Developer, Operator, Admin]);

    /// Permissions that tell all roles apart.
    pub(crate) fn permissions() -> Permissions {
        Permissions::all([APPROVE, REQUEST])
    }

    #[test]
    fn roles_are_no_ladder() {
        let permissions = permissions();
        assert!(!permissions.covers(Operator, Approver) && !permissions.covers(Approver, Operator));
    }

    #[test]
    fn an_administrator_covers_every_role_and_nobody_but_an_agent_ingests() {
        let permissions = permissions();
        assert!(Role::ALL.iter().all(|role| permissions.covers(Admin, *role) && permissions.covers(*role, Viewer)));
        assert!(Role::ALL.iter().all(|role| !INGEST.is_carried_by(*role)));
    }
}
