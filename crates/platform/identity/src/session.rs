//! Sessions: begun by a login, ended by a logout, by time, or by an administrator.
//!
//! A login always begins a new session under a new identifier and ends the one that the browser had, so that an
//! identifier from before the login is worth nothing after it.

use http::request::Parts;
use http::{HeaderValue, header};
use palisade_store::{Account, NewSession, SecretHash};
use serde_json::json;

use super::caller::{Caller, Method};
use super::cookie::Cookie;
use super::refusal::Refusal;
use super::secret::{self, Kind, Secret};
use super::{Identity, seconds};

/// Longest name of a browser that is kept, in characters.
const MAX_USER_AGENT: usize = 256;

impl Identity {
    /// Begins a session of `account`, notes the login made by `how`, and returns the header that sets its cookie.
    pub(super) async fn begin_session(
        &self,
        parts: &Parts,
        account: &Account,
        how: &str,
    ) -> Result<HeaderValue, Refusal> {
        if let Some(before) = Cookie::Session.read(self.tls(), &parts.headers)
            && let Some(session) = self.live_session(before).await?
        {
            self.store.revoke_session(&session.id, self.clock.now()).await?;
        }
        let value = Secret::generate(Kind::Session)?;
        let user_agent = parts.headers.get(header::USER_AGENT).and_then(|name| name.to_str().ok()).unwrap_or_default();
        let new = NewSession {
            hash: hash(&value)?,
            account_id: account.id.clone(),
            expires_at: self.clock.now() + seconds(self.config.session_lifetime),
            user_agent: user_agent.chars().take(MAX_USER_AGENT).collect(),
        };
        let session = self.store.create_session(&new, self.clock.now()).await?;
        let caller = Caller {
            id: account.id.clone(),
            name: account.display_name.clone(),
            method: Method::Session,
            credential: session.id,
            bindings: Vec::new(),
            address: self.client_address(parts),
        };
        self.note(&caller, "session.begin", &account.id, None, json!({"by": how})).await?;
        Cookie::Session.set(self.tls(), value.expose(), self.config.session_lifetime.as_secs())
    }

    /// Ends the session of `caller`; where it came by a token, nothing is there to end.
    pub(super) async fn end_session(&self, caller: &Caller) -> Result<HeaderValue, Refusal> {
        if caller.method() != Method::Session {
            return Err(Refusal::NeedsSession);
        }
        self.store.revoke_session(caller.credential(), self.clock.now()).await?;
        self.note(caller, "session.end", caller.id(), None, json!({})).await?;
        Ok(Cookie::Session.clear(self.tls()))
    }

    /// Ends all sessions of an account, on behalf of `caller`.
    pub(super) async fn end_sessions_of(&self, caller: &Caller, account: &str) -> Result<(), Refusal> {
        let ended = self.store.revoke_sessions_of(account, self.clock.now()).await?;
        self.note(caller, "session.end-all", account, None, json!({"sessions": ended})).await
    }
}

/// The hash of a secret that was just made.
fn hash(value: &Secret) -> Result<SecretHash, Refusal> {
    secret::hash(Kind::Session, value.expose()).ok_or(Refusal::Internal)
}
