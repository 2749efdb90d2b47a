//! Roles, permissions, and the one table that says which role carries which permission.
//!
//! It is here so that "who may do what" can be read on one page. Deliberately absent: who the caller is (`caller`) and
//! how a request is refused (`refusal`).

use std::fmt;

pub(crate) use palisade_store::Role;

/// Whether `role` carries every permission that `other` carries, so that its holder may hand `other` out.
///
/// Roles are not a ladder: an approver is not a better operator, and neither covers the other.
pub(crate) fn covers(role: Role, other: Role) -> bool {
    Permission::ALL.iter().all(|permission| !permission.is_carried_by(other) || permission.is_carried_by(role))
}

/// What a route needs of its caller. Every route is registered with one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Permission {
    /// See and end one's own session.
    OwnSession,
    /// List, create and revoke one's own API tokens.
    OwnTokens,
    /// Read findings, resources, decisions, policies, exceptions, owners and scans.
    Read,
    /// Try a policy against objects or recorded history; changes nothing.
    Replay,
    /// Ask for an exception, and withdraw the request.
    RequestExceptions,
    /// Approve or reject exceptions that others asked for.
    ApproveExceptions,
    /// Change owners: teams, services, imported catalogues.
    ManageOwners,
    /// Start scans.
    RunScans,
    /// Add, change, enable and remove policies and their overrides.
    ManagePolicies,
    /// Issue join tokens, list and revoke agents.
    ManageAgents,
    /// Read the audit log.
    ReadAudit,
    /// Change accounts, their role bindings and sessions, and everybody's tokens.
    ManageAccounts,
    /// Make, fetch and remove backups of everything that is stored.
    ManageBackups,
    /// Deliver events and results as an agent, and renew its certificate.
    Ingest,
}

/// Where a permission has to be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
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
    /// Every permission.
    pub(crate) const ALL: [Self; 14] = [
        Self::OwnSession,
        Self::OwnTokens,
        Self::Read,
        Self::Replay,
        Self::RequestExceptions,
        Self::ApproveExceptions,
        Self::ManageOwners,
        Self::RunScans,
        Self::ManagePolicies,
        Self::ManageAgents,
        Self::ReadAudit,
        Self::ManageAccounts,
        Self::ManageBackups,
        Self::Ingest,
    ];

    /// The roles that carry the permission.
    pub(crate) const fn roles(self) -> &'static [Role] {
        use Role::{Admin, Approver, Developer, Operator, Viewer};
        match self {
            Self::OwnSession | Self::OwnTokens | Self::Read => &[Viewer, Developer, Operator, Approver, Admin],
            Self::Replay => &[Developer, Operator, Approver, Admin],
            Self::RequestExceptions => &[Developer, Operator, Admin],
            Self::ApproveExceptions | Self::ReadAudit => &[Approver, Admin],
            Self::ManageOwners | Self::RunScans | Self::ManagePolicies | Self::ManageAgents => &[Operator, Admin],
            Self::ManageAccounts | Self::ManageBackups => &[Admin],
            Self::Ingest => &[],
        }
    }

    /// Whether `role` carries the permission.
    pub(crate) fn is_carried_by(self, role: Role) -> bool {
        self.roles().contains(&role)
    }

    /// Where the permission has to be held.
    pub(crate) const fn reach(self) -> Reach {
        match self {
            Self::OwnSession | Self::OwnTokens => Reach::Own,
            Self::Read | Self::Replay | Self::RequestExceptions | Self::ApproveExceptions => Reach::Team,
            Self::ManageOwners
            | Self::RunScans
            | Self::ManagePolicies
            | Self::ManageAgents
            | Self::ReadAudit
            | Self::ManageAccounts
            | Self::ManageBackups => Reach::Platform,
            Self::Ingest => Reach::Agent,
        }
    }

    /// How messages and the OpenAPI document name the permission.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::OwnSession => "own-session",
            Self::OwnTokens => "own-tokens",
            Self::Read => "read",
            Self::Replay => "replay",
            Self::RequestExceptions => "request-exceptions",
            Self::ApproveExceptions => "approve-exceptions",
            Self::ManageOwners => "manage-owners",
            Self::RunScans => "run-scans",
            Self::ManagePolicies => "manage-policies",
            Self::ManageAgents => "manage-agents",
            Self::ReadAudit => "read-audit",
            Self::ManageAccounts => "manage-accounts",
            Self::ManageBackups => "manage-backups",
            Self::Ingest => "ingest",
        }
    }
}

impl fmt::Display for Permission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_operator_does_not_approve_and_an_approver_does_not_operate() {
        assert!(!Permission::ApproveExceptions.is_carried_by(Role::Operator));
        assert!(!Permission::RequestExceptions.is_carried_by(Role::Approver));
        assert!(!Permission::ManagePolicies.is_carried_by(Role::Approver));
        assert!(!covers(Role::Operator, Role::Approver) && !covers(Role::Approver, Role::Operator));
    }

    #[test]
    fn an_administrator_covers_every_role_and_nobody_but_an_agent_ingests() {
        assert!(Role::ALL.iter().all(|role| covers(Role::Admin, *role) && covers(*role, Role::Viewer)));
        assert!(Role::ALL.iter().all(|role| !Permission::Ingest.is_carried_by(*role)));
    }
}
