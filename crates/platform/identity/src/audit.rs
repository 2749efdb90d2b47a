//! What identity notes in the audit log: logins, failures, tokens, roles, agents. Never a secret.

use std::net::IpAddr;

use palisade_store::NewAuditEntry;
use serde_json::{Value, json};

use super::Identity;
use super::caller::Caller;
use super::refusal::Refusal;

/// Who acted, where no caller is known.
pub(super) const SYSTEM: &str = "system";
/// Who failed to prove who he is.
const UNKNOWN: &str = "unknown";

impl Identity {
    /// Notes what `caller` did. What cannot be noted does not happen: call it before the answer is given.
    pub(super) async fn note(
        &self,
        caller: &Caller,
        action: &str,
        object: &str,
        team: Option<String>,
        mut details: Value,
    ) -> Result<(), Refusal> {
        if let Some(details) = details.as_object_mut() {
            details.insert("address".into(), caller.address().to_string().into());
            details.insert("credential".into(), caller.credential().into());
        }
        let entry = NewAuditEntry {
            actor: caller.id().into(),
            actor_name: caller.name().into(),
            action: action.into(),
            object: object.into(),
            team,
            allowed: true,
            details,
        };
        self.store.append_audit(&entry, self.clock.now()).await?;
        Ok(())
    }

    /// Notes a failed proof. The request is refused whether or not it can be noted.
    pub(super) async fn note_failure(&self, action: &str, object: &str, address: IpAddr, reason: &str) {
        tracing::warn!(action, object, %address, reason, "a request was refused");
        let entry = NewAuditEntry {
            actor: UNKNOWN.into(),
            actor_name: String::new(),
            action: action.into(),
            object: object.into(),
            team: None,
            allowed: false,
            details: json!({"address": address.to_string(), "reason": reason}),
        };
        if let Err(error) = self.store.append_audit(&entry, self.clock.now()).await {
            tracing::warn!(%error, "a refused request could not be noted in the audit log");
        }
    }
}
