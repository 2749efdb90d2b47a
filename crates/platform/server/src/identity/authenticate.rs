//! From a request to its caller.

use http::request::Parts;

use super::Identity;
use super::caller::Caller;
use super::refusal::Refusal;

impl Identity {
    /// The caller of a request, by whatever proof it carries.
    pub async fn authenticate(&self, _parts: &Parts) -> Result<Caller, Refusal> {
        Err(Refusal::Unauthenticated)
    }
}
