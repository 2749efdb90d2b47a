//! API tokens: made in a session, shown once, never worth more than who made them.

use jiff::Timestamp;
use palisade_store::{NewToken, Token};
use serde_json::json;

use super::caller::{Binding, Caller, Method};
use super::refusal::Refusal;
use super::secret::{self, Kind, Secret};
use super::{Identity, seconds};

/// Longest name of a token, in characters.
const MAX_NAME: usize = 100;

impl Identity {
    /// Makes a token that ends at `expires_at`, or as late as tokens may end.
    pub(super) async fn create_token(
        &self,
        caller: &Caller,
        name: &str,
        binding: &Binding,
        expires_at: Option<Timestamp>,
    ) -> Result<(Secret, Token), Refusal> {
        // A stolen token must not leave others behind when it is revoked.
        if caller.method() != Method::Session {
            return Err(Refusal::NeedsSession);
        }
        if !caller.may_grant(binding, &self.permissions) {
            return Err(Refusal::NotYours("a token holds no role that you do not hold yourself in that team"));
        }
        if name.trim().is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
            return Err(Refusal::Invalid(format!("`name` has 1 to {MAX_NAME} printable characters")));
        }
        let (now, latest) = (self.clock.now(), self.clock.now() + seconds(self.config.token_lifetime));
        let expires_at = expires_at.unwrap_or(latest);
        if expires_at <= now || expires_at > latest {
            return Err(Refusal::Invalid(format!("`expires_at` has to lie between now and {latest}")));
        }
        let secret = Secret::generate(Kind::Token)?;
        let new = NewToken {
            hash: secret::hash(Kind::Token, secret.expose()).ok_or(Refusal::Internal)?,
            name: name.to_owned(),
            role: binding.role,
            team: binding.stored_team(),
            account_id: Some(caller.id().to_owned()),
            expires_at,
        };
        let token = self.store.create_token(&new, now).await?;
        let details = json!({"name": name, "role": binding.role.as_str(), "expires_at": expires_at.to_string()});
        self.note(caller, "token.create", &token.id, binding.stored_team(), details).await?;
        Ok((secret, token))
    }
}
