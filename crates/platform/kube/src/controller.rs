//! What the controllers share: the objects that they work on, the kinds that policies mean, a memory, and a record of what
//! was done.
//!
//! It stands below the controllers, so that none of them has to know another one. Deliberately absent: judging, which is
//! each controller's own, and the queue, which is of `palisade-runtime`.

mod actions;
mod kinds;
mod object;

use futures_util::future::BoxFuture;
use palisade_model::Value;
pub use palisade_runtime::Failure;
use tokio::time::Instant;

pub(crate) use actions::Teller;
pub use actions::{Action, ActionKind, ActionSink};
pub(crate) use kinds::{concerned, looked_up};
pub(crate) use object::{ObjectKey, Patience, uid_of};

/// A small memory for a controller: one JSON document, of a size that grows with the number of policies,
/// not of objects.
pub trait ControllerState: Send + Sync {
    /// What `controller` (`generate` or `cleanup`) saved last; `None` where it never did.
    fn load<'a>(&'a self, controller: &'a str) -> BoxFuture<'a, Result<Option<Value>, Failure>>;

    /// Keeps `state` for `controller`.
    fn save<'a>(&'a self, controller: &'a str, state: &'a Value) -> BoxFuture<'a, Result<(), Failure>>;
}

/// Waits until a moment; for ever where there is none.
pub(crate) async fn at(moment: Option<Instant>) {
    match moment {
        Some(moment) => tokio::time::sleep_until(moment).await,
        None => std::future::pending().await,
    }
}
