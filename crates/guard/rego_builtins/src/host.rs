//! What is outside of an evaluation.

use palisade_model::Str;

use palisade_rego_value::Value;

/// What is outside of an evaluation.
pub trait Host: Send + Sync {
    /// Sends an HTTP request, given and answered in the form of `http.send`; the configuration decides which hosts are permitted.
    fn http(&self, request: &Value) -> Result<Value, String>;
    /// Whether a request without an answer ends the evaluation with an error. Otherwise the call is undefined, as in OPA,
    /// and a policy that cannot ask looks like one that is satisfied.
    fn must_answer(&self) -> bool {
        true
    }
    /// Addresses of a name (`net.lookup_ip_addr`).
    fn addresses(&self, name: &str) -> Result<Vec<Str>, String>;
    /// The text of a file beside the policies (`parse_config_file`), which only tests have.
    fn file(&self, path: &str) -> Result<String, String> {
        let _ = path;
        Err("files are read by tests only: give what a policy needs as data".to_owned())
    }
    /// What `opa.runtime` shows (`{}` offline).
    fn runtime(&self) -> Value;
}

/// Nothing is outside.
#[derive(Clone, Copy, Debug, Default)]
pub struct Offline;

impl Host for Offline {
    fn http(&self, _request: &Value) -> Result<Value, String> {
        Err("http requests are not permitted offline".to_owned())
    }

    fn addresses(&self, name: &str) -> Result<Vec<Str>, String> {
        Err(format!("`{name}` is not looked up offline"))
    }

    fn runtime(&self) -> Value {
        Value::object(Vec::new())
    }
}
