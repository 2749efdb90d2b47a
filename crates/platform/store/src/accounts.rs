//! People: accounts by issuer and subject, and the roles that accounts and groups have in teams.

use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::Failure;
use crate::page::{Column, Order};
use crate::row::Row;
use crate::statement::Sql;
use crate::store::new_id;
use crate::table::{Columns, table};
use crate::{Listed, Page, Store, StoreError};

const BY_ID: Order = Order { list: "accounts", columns: &[Column::text("id", "id")], descending: false };

const BINDINGS: Order = Order {
    list: "roles",
    columns: &[
        Column::text("principal_kind", "principal_kind"),
        Column::text("principal", "principal"),
        Column::text("role", "role"),
        Column::text("team", "team"),
    ],
    descending: false,
};

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

table! {
    ACCOUNTS = accounts (id);
    Account {
        id: text,
        issuer: text,
        subject: text,
        display_name: text,
        email: optional_text,
        groups in user_groups: json,
        disabled: flag,
        created_at: time,
        last_login_at: time,
    }
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

table! {
    ROLE_BINDINGS = role_bindings (principal_kind, principal, role, team);
    { principal_kind: text, principal: text, role: word, team: text, granted_by: text, granted_at: time }
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
        let id = new_id();
        self.database
            .attempt("recording a login", async || {
                let mut session = self.database.write().await?;
                let Login { issuer, subject, display_name, email, groups } = login.clone();
                let account = Account {
                    id: id.clone(),
                    issuer,
                    subject,
                    display_name,
                    email,
                    groups,
                    disabled: false,
                    created_at: now,
                    last_login_at: now,
                };
                let kept = ["id", "disabled", "created_at"];
                let sql = ACCOUNTS.upsert([account.values()], &["issuer", "subject"], &kept).push(" RETURNING *");
                let row = session.row(sql).await?;
                session.commit().await?;
                found(row, &login.subject)
            })
            .await
    }

    /// The account with this identifier.
    pub async fn account(&self, id: &str) -> Result<Option<Account>, StoreError> {
        self.database
            .attempt("reading an account", async || {
                let sql = Sql::new("SELECT * FROM accounts WHERE id = $1").arg(id);
                self.database.read().await?.row(sql).await?.as_ref().map(Columns::read).transpose()
            })
            .await
    }

    /// Accounts by identifier.
    pub async fn list_accounts(&self, filter: &AccountFilter, page: &Page) -> Result<Listed<Account>, StoreError> {
        self.database
            .attempt("listing accounts", async || {
                let sql = Sql::new("SELECT * FROM accounts WHERE 1 = 1")
                    .equal("issuer", filter.issuer.as_deref())
                    .equal("disabled", filter.disabled);
                self.database.read().await?.list(sql, &BY_ID, page, Columns::read).await
            })
            .await
    }

    /// Disables or enables an account. Disabling revokes its sessions and the tokens that it made.
    pub async fn set_account_disabled(&self, id: &str, disabled: bool, now: Timestamp) -> Result<Account, StoreError> {
        self.database
            .attempt("changing an account", async || {
                let mut session = self.database.write().await?;
                let sql = Sql::new("UPDATE accounts SET disabled = $1 WHERE id = $2 RETURNING *").arg(disabled).arg(id);
                let account = found(session.row(sql).await?, id)?;
                if disabled {
                    let sql = "UPDATE sessions SET revoked_at = $1 WHERE account_id = $2 AND revoked_at IS NULL";
                    session.execute(Sql::new(sql).arg(now).arg(id)).await?;
                    let sql = "UPDATE tokens SET revoked_at = $1 WHERE account_id = $2 AND revoked_at IS NULL";
                    session.execute(Sql::new(sql).arg(now).arg(id)).await?;
                }
                session.commit().await?;
                Ok(account)
            })
            .await
    }

    /// Gives a role; giving it again changes nothing. An account that does not exist is not found.
    pub async fn grant_role(&self, binding: &RoleBinding, by: &str, now: Timestamp) -> Result<(), StoreError> {
        self.database
            .attempt("giving a role", async || {
                let mut session = self.database.write().await?;
                if let Principal::Account(id) = &binding.principal {
                    found(session.row(Sql::new("SELECT * FROM accounts WHERE id = $1").arg(id)).await?, id)?;
                }
                let sql = Sql::new(
                    "INSERT INTO role_bindings (principal_kind, principal, role, team, granted_by, granted_at) \
             VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
                );
                session.execute(of(sql, binding).arg(by).arg(now)).await?;
                session.commit().await
            })
            .await
    }

    /// Takes a role; returns whether it was there.
    pub async fn revoke_role(&self, binding: &RoleBinding) -> Result<bool, StoreError> {
        let sql = || {
            let sql =
                "DELETE FROM role_bindings WHERE principal_kind = $1 AND principal = $2 AND role = $3 AND team = $4";
            of(Sql::new(sql), binding)
        };
        self.write_one("taking a role", sql).await.map(|count| count > 0)
    }

    /// The roles that an account has by itself and by these groups.
    pub async fn roles_of(&self, account: &str, groups: &[String]) -> Result<Vec<RoleBinding>, StoreError> {
        self.database
            .attempt("reading roles", async || {
                let sql = Sql::new("SELECT * FROM role_bindings WHERE (principal_kind = 'account' AND principal = $1)");
                let mut sql = sql.arg(account);
                if !groups.is_empty() {
                    sql = sql.push(" OR (principal_kind = 'group'").among("principal", Some(groups)).push(")");
                }
                self.database.read().await?.rows(sql).await?.iter().map(read_binding).collect()
            })
            .await
    }

    /// All role bindings, by principal.
    pub async fn list_role_bindings(&self, page: &Page) -> Result<Listed<RoleBinding>, StoreError> {
        self.database
            .attempt("listing roles", async || {
                let sql = Sql::new("SELECT * FROM role_bindings WHERE 1 = 1");
                self.database.read().await?.list(sql, &BINDINGS, page, read_binding).await
            })
            .await
    }

    /// Whether anybody is administrator of every team; where nobody is, the server shows its first-start link.
    pub async fn has_administrator(&self) -> Result<bool, StoreError> {
        self.database
    .attempt("reading roles", async || {
        let sql = Sql::new(
            "SELECT 1 AS one FROM role_bindings WHERE role = 'admin' AND team = '' AND (principal_kind = 'group' \
             OR EXISTS (SELECT 1 FROM accounts WHERE id = principal AND disabled = 0)) LIMIT 1",
        );
        self.database.read().await?.row(sql).await.map(|row| row.is_some())
    })
    .await
    }
}

fn found(row: Option<Row>, id: &str) -> Result<Account, Failure> {
    let row = row.ok_or_else(|| StoreError::NotFound { what: "account", id: id.to_owned() })?;
    Columns::read(&row)
}

/// Binds kind, principal, role and team, in this order.
fn of(sql: Sql, binding: &RoleBinding) -> Sql {
    let (kind, principal) = match &binding.principal {
        Principal::Account(id) => ("account", id),
        Principal::Group(name) => ("group", name),
    };
    sql.arg(kind).arg(principal).arg(binding.role.as_str()).arg(binding.team.as_deref().unwrap_or_default())
}

fn read_binding(row: &Row) -> Result<RoleBinding, Failure> {
    let principal = row.text("principal")?;
    Ok(RoleBinding {
        principal: match row.text("principal_kind")?.as_str() {
            "account" => Principal::Account(principal),
            _ => Principal::Group(principal),
        },
        role: row.word("role")?,
        team: Some(row.text("team")?).filter(|team| !team.is_empty()),
    })
}
