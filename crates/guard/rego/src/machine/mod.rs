//! Runs a plan over `input` and `data`.

use palisade_model::Str;

use crate::value::Value;

/// What is outside of an evaluation. The default answers nothing.
pub trait Host: Send + Sync {
    /// Sends an HTTP request, given and answered in the form of `http.send`; the configuration decides which hosts are permitted.
    fn http(&self, request: &Value) -> Result<Value, String>;
    /// Addresses of a name (`net.lookup_ip_addr`).
    fn addresses(&self, name: &str) -> Result<Vec<Str>, String>;
    /// What `opa.runtime` shows (`{}` offline).
    fn runtime(&self) -> Value;
}

/// What an evaluation may still use.
#[derive(Clone, Copy, Debug)]
pub struct Budget {
    /// Steps.
    pub steps: u64,
    /// Bytes of values built, roughly.
    pub bytes: u64,
}
