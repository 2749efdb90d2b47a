//! People: accounts by issuer and subject, and the roles that accounts and groups have in teams.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Listed, Page, Store, StoreError};

/// What somebody may do. What each role permits is the server's table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Reads.
    Viewer,
    /// Reads, and asks for exceptions.
    Developer,
    /// Operates policies and the platform.
    Operator,
    /// Decides about exceptions.
    Approver,
    /// Everything, accounts and settings included.
    Admin,
}

impl Role {
    /// All roles.
    pub const ALL: [Self; 5] = [Self::Viewer, Self::Developer, Self::Operator, Self::Approver, Self::Admin];

    /// The word for it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Developer => "developer",
            Self::Operator => "operator",
            Self::Approver => "approver",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("unknown role `{text}`: one of viewer, developer, operator, approver, admin"))
    }
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Account {
    /// Its identifier (UUIDv7).
    pub id: String,
    /// Who vouches for the subject: an OIDC issuer, or `palisade` for local accounts.
    pub issuer: String,
    /// The issuer's name for the person.
    pub subject: String,
    /// The name to show.
    pub display_name: String,
    /// Mail address, where the issuer told one.
    pub email: Option<String>,
    /// Groups, as the issuer told them at the last login.
    pub groups: Vec<String>,
    /// Whether it may not log in.
    pub disabled: bool,
    /// When it first logged in.
    pub created_at: Timestamp,
    /// When it last logged in.
    pub last_login_at: Timestamp,
}

/// What an issuer says of a person who logs in.
#[derive(Clone, Debug)]
pub struct Login {
    /// Who vouches for the subject.
    pub issuer: String,
    /// The issuer's name for the person.
    pub subject: String,
    /// The name to show.
    pub display_name: String,
    /// Mail address.
    pub email: Option<String>,
    /// Groups.
    pub groups: Vec<String>,
}

/// Who has a role.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", content = "id", rename_all = "lowercase")]
pub enum Principal {
    /// An account, by identifier.
    Account(String),
    /// Every account in a group of the issuer.
    Group(String),
}

/// A role that somebody has.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RoleBinding {
    /// Who.
    pub principal: Principal,
    /// What.
    pub role: Role,
    /// In which team; none is in every team.
    pub team: Option<String>,
}

/// Which accounts are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct AccountFilter {
    /// Issuer.
    pub issuer: Option<String>,
    /// Whether disabled.
    pub disabled: Option<bool>,
}

impl Store {
    /// Creates the account at its first login and updates it at later ones. A disabled account stays disabled.
    pub async fn record_login(&self, login: &Login, now: Timestamp) -> Result<Account, StoreError> {
        todo!()
    }

    /// The account with this identifier.
    pub async fn account(&self, id: &str) -> Result<Option<Account>, StoreError> {
        todo!()
    }

    /// Accounts by identifier.
    pub async fn list_accounts(&self, filter: &AccountFilter, page: &Page) -> Result<Listed<Account>, StoreError> {
        todo!()
    }

    /// Disables or enables an account. Disabling revokes its sessions and the tokens that it made.
    pub async fn set_account_disabled(&self, id: &str, disabled: bool, now: Timestamp) -> Result<Account, StoreError> {
        todo!()
    }

    /// Gives a role; giving it again changes nothing. An account that does not exist is not found.
    pub async fn grant_role(&self, binding: &RoleBinding, by: &str, now: Timestamp) -> Result<(), StoreError> {
        todo!()
    }

    /// Takes a role; returns whether it was there.
    pub async fn revoke_role(&self, binding: &RoleBinding) -> Result<bool, StoreError> {
        todo!()
    }

    /// The roles that an account has by itself and by these groups.
    pub async fn roles_of(&self, account: &str, groups: &[String]) -> Result<Vec<RoleBinding>, StoreError> {
        todo!()
    }

    /// All role bindings, by principal.
    pub async fn list_role_bindings(&self, page: &Page) -> Result<Listed<RoleBinding>, StoreError> {
        todo!()
    }

    /// Whether anybody is administrator of every team; where nobody is, the server shows its first-start link.
    pub async fn has_administrator(&self) -> Result<bool, StoreError> {
        todo!()
    }
}
