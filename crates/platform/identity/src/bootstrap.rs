//! The first administrator: a link that the server prints once while nobody administers it.
//!
//! Whoever reads the server's standard error becomes administrator, as whoever can start the server could anyway. The
//! link works once, for an hour, and only while there is no administrator; the next start prints a new one.

use std::fmt;
use std::io::Write;

use http::HeaderValue;
use http::request::Parts;
use jiff::SignedDuration;
use palisade_store::{Login, Principal, Role, RoleBinding};
use serde_json::json;

use super::Identity;
use super::audit::SYSTEM;
use super::refusal::Refusal;
use super::secret::{self, Kind, Secret};

const LIFETIME: SignedDuration = SignedDuration::from_hours(1);
/// The issuer of accounts that no identity provider vouches for.
pub(super) const LOCAL_ISSUER: &str = "palisade";

/// The link; its `Display` is the secret, for the terminal only.
pub(super) struct FirstLink(String);

impl fmt::Display for FirstLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for FirstLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FirstLink")
    }
}

impl Identity {
    /// Prints the link to `out`, the server's standard error, where there is no administrator. The log does not get it.
    pub async fn print_first_link(&self, out: &mut impl Write) {
        match self.first_link().await {
            Ok(None) => {}
            Ok(Some(link)) => {
                let shown =
                    writeln!(out, "Nobody administers this server yet. This link works once, for an hour:\n  {link}");
                if let Err(error) = shown {
                    tracing::warn!(%error, "the first administrator's link could not be printed");
                }
            }
            Err(error) => {
                tracing::warn!(%error, "the first administrator's link could not be made; restart to try again");
            }
        }
    }

    /// The link to print; `None` where there is an administrator already.
    pub(super) async fn first_link(&self) -> Result<Option<FirstLink>, Refusal> {
        if self.store.has_administrator().await? {
            return Ok(None);
        }
        let secret = Secret::generate(Kind::FirstLink)?;
        let hash = secret::hash(Kind::FirstLink, secret.expose()).ok_or(Refusal::Internal)?;
        let now = self.clock.now();
        self.store.put_login_state(&hash, &json!({}), now + LIFETIME, now).await?;
        let mut link = self.url("/auth/first");
        link.query_pairs_mut().append_pair("token", secret.expose());
        Ok(Some(FirstLink(link.into())))
    }

    /// Begins the first administrator's session; the header sets its cookie.
    pub(super) async fn redeem_first_link(&self, parts: &Parts, token: &str) -> Result<HeaderValue, Refusal> {
        let now = self.clock.now();
        let taken = match secret::hash(Kind::FirstLink, token) {
            Some(hash) => self.store.take_login_state(&hash, now).await?,
            None => None,
        };
        // Two links may have been printed by two starts; the first to be used wins.
        if taken.is_none() || self.store.has_administrator().await? {
            return Err(Refusal::Rejected("the link is unknown, expired or used".into()));
        }
        let login = Login {
            issuer: LOCAL_ISSUER.into(),
            subject: "first-administrator".into(),
            display_name: "First administrator".into(),
            email: None,
            groups: Vec::new(),
        };
        let account = self.store.record_login(&login, now).await?;
        if account.disabled {
            return Err(Refusal::Rejected("the first administrator's account is disabled".into()));
        }
        let principal = Principal::Account(account.id.clone());
        let binding = RoleBinding { principal, role: Role::Admin, team: None };
        self.store.grant_role(&binding, SYSTEM, now).await?;
        self.begin_session(parts, &account, "first-link").await
    }
}
