//! Objects that say themselves when they are to be removed.
//!
//! They may be of any kind, so each kind is asked for those with the label, from time to time, instead of following all
//! objects of all kinds.

use std::collections::HashSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt, stream};
use palisade_model::{Str, Value};

use super::Work;
use super::removal::Removal;
use super::ttl::{TTL_LABEL, expiry};
use crate::controller::{ActionKind, Failure, ObjectKey, uid_of};
use crate::{Kind, KubeError};

/// The most pages of a kind that are read in one round; what is left comes with the next.
const MOST_PAGES: usize = 20;

/// How many kinds are asked at a time.
const AT_ONCE: usize = 4;

/// The longest that a kind may take. What is left comes with the next round.
const PATIENCE: Duration = Duration::from_secs(10);

impl Work {
    pub(super) async fn follow_labels(&self) {
        let mut refused: HashSet<Str> = HashSet::new();
        loop {
            let discovery = self.cleaner.caches.discovery();
            let kinds = discovery.preferred().filter(|kind| kind.can("list") && kind.can("delete"));
            let kinds: Vec<Arc<Kind>> = kinds.cloned().collect();
            let asked = stream::iter(kinds.into_iter().map(|kind| self.ask_kind(kind)));
            let mut asked = pin!(asked.buffer_unordered(AT_ONCE));
            while let Some((plural, done)) = asked.next().await {
                match done {
                    Ok(()) => drop(refused.remove(&plural)),
                    Err(error) => {
                        if refused.insert(plural.clone()) {
                            tracing::warn!(%error, "the {plural} cannot be asked for the label {TTL_LABEL}");
                        }
                    }
                }
            }
            tokio::time::sleep(self.cleaner.config.label_interval).await;
        }
    }

    /// Asks for the objects of a kind. One that does not answer, such as one that is being defined, does not hold up the
    /// others.
    async fn ask_kind(&self, kind: Arc<Kind>) -> (Str, Result<(), Failure>) {
        let done = match tokio::time::timeout(PATIENCE, self.remove_expired(&kind)).await {
            Ok(done) => done.map_err(Failure::from),
            Err(_) => Err(format!("no answer within {} seconds", PATIENCE.as_secs()).into()),
        };
        (kind.plural.clone(), done)
    }

    async fn remove_expired(&self, kind: &Arc<Kind>) -> Result<(), KubeError> {
        let selector = TTL_LABEL.replace('/', "%2F");
        let mut next = String::new();
        for _ in 0..MOST_PAGES {
            let path = format!("{}?labelSelector={selector}&limit=500{next}", kind.collection(""));
            let page = self.cleaner.caches.connection().get(&path).await?;
            for object in page.get("items").and_then(Value::as_array).unwrap_or_default() {
                self.remove_if_expired(kind, object).await;
            }
            match page.dig(["metadata", "continue"]).and_then(Value::as_str).filter(|token| !token.is_empty()) {
                // The token is text that is safe in addresses.
                Some(token) => next = format!("&continue={token}"),
                None => return Ok(()),
            }
        }
        Ok(())
    }

    async fn remove_if_expired(&self, kind: &Arc<Kind>, object: &Value) {
        if object.dig(["metadata", "deletionTimestamp"]).is_some() {
            return;
        }
        let subject = ObjectKey::named_by(kind, object).subject(uid_of(object));
        let about = (None, &"".into());
        let moment = match expiry(object) {
            Ok(Some(moment)) => moment,
            Ok(None) => return,
            Err(problem) => return self.teller.tell(ActionKind::Failed, about, &subject, None, problem).await,
        };
        if moment > self.cleaner.clock.now() {
            return;
        }
        match (Removal { kind, object, propagation: None }).carry_out(self.cleaner.caches.connection()).await {
            Ok(()) => {
                let message = format!("removed because its label {TTL_LABEL} says so");
                self.teller.tell(ActionKind::Removed, about, &subject, None, message).await;
                tokio::time::sleep(self.cleaner.config.pace).await;
            }
            // A newer state, or another object, is looked at with the next round.
            Err(error) if error.is_not_found() || error.is_conflict() => {}
            Err(error) => self.teller.tell(ActionKind::Failed, about, &subject, None, error.to_string()).await,
        }
    }
}
