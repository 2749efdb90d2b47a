//! Loading a context entry.

use palisade_jmespath::QueryError;
use palisade_model::{Map, Str, Value};
use palisade_policy::{ApiCall, LookupError, ObjectQuery};

use super::RuleContext;
use crate::legacy::spec::{ContextEntry, EntrySource};
use crate::legacy::variables::{VariableError, substitute};

/// The entry's value; `None` where a values file gives it already.
pub(super) fn load(context: &RuleContext<'_>, entry: &ContextEntry) -> Result<Option<Value>, QueryError> {
    let is_variable = matches!(entry.source, EntrySource::Variable { .. });
    if !is_variable && context.given.get(&entry.name).is_some() {
        return Ok(None);
    }
    let loader = Loader { context, name: &entry.name };
    match &entry.source {
        EntrySource::Variable { value, jmes_path, default } => loader.variable(value, jmes_path.as_ref(), default),
        EntrySource::ConfigMap { name, namespace } => loader.config_map(name, namespace),
        EntrySource::ApiCall { call, jmes_path, default } => loader.api_call(call, jmes_path.as_ref(), default),
        EntrySource::ImageRegistry { reference, jmes_path } => {
            let reference = loader.text(reference, "imageRegistry.reference")?;
            let data = context.environment.lookups.image(&reference).map_err(|error| loader.unavailable(&error))?;
            loader.transformed(data, jmes_path.as_ref())
        }
        EntrySource::GlobalReference { name, jmes_path } => loader.global_reference(name, jmes_path.as_ref()),
    }
    .map(Some)
}

struct Loader<'c, 'a> {
    context: &'c RuleContext<'a>,
    name: &'c str,
}

impl Loader<'_, '_> {
    fn variable(&self, value: &Value, jmes_path: Option<&Str>, default: &Value) -> Result<Value, QueryError> {
        let path = jmes_path.map(|path| self.text(path, "jmesPath")).transpose()?;
        let default = self.substituted(default)?;
        let from_path = match (&path, value.is_null()) {
            (None, true) => Ok(Value::Null),
            (None, false) => Ok(self.substituted(value)?),
            (Some(path), true) => self.context.query(path),
            (Some(path), false) => self.context.query_value(path, &self.substituted(value)?),
        };
        let value = match from_path {
            Ok(Value::Null) if value.is_null() => default,
            Ok(found) => found,
            Err(error) if default.is_null() => return Err(self.because("failed to apply jmespath", error)),
            Err(_) => default,
        };
        if value.is_null() {
            return Err(self.invalid("it evaluated to nil"));
        }
        Ok(value)
    }

    fn config_map(&self, name: &Str, namespace: &Str) -> Result<Value, QueryError> {
        let name = self.text(name, "configMap.name")?;
        let own = self.context.names.namespace;
        let namespace = match self.text(namespace, "configMap.namespace")? {
            empty if empty.is_empty() && own.is_empty() => Str::from("default"),
            empty if empty.is_empty() => Str::from(own),
            given => given,
        };
        if !own.is_empty() && *namespace != *own {
            return Err(self.invalid(&format!(
                "configMap namespace \"{namespace}\" is different from policy namespace \"{own}\""
            )));
        }
        let query =
            ObjectQuery { version: "v1".into(), resource: "ConfigMap".into(), namespace, name, ..Default::default() };
        let object = self.context.environment.lookups.get(&query).map_err(|error| self.unavailable(&error))?;
        let part = |key: &str| (Str::from(key), object.get(key).cloned().unwrap_or_default());
        Ok(Value::object(["data", "metadata"].into_iter().map(part).collect()))
    }

    fn api_call(&self, call: &Value, jmes_path: Option<&Str>, default: &Value) -> Result<Value, QueryError> {
        let call = self.call(call)?;
        self.check_namespace(&call.url)?;
        match self.context.environment.lookups.call(&call) {
            Ok(answer) => self.transformed(answer, jmes_path),
            Err(LookupError::NotFound(_) | LookupError::Failed(_)) if !default.is_null() => Ok(default.clone()),
            Err(error) => Err(self.unavailable(&error)),
        }
    }

    fn call(&self, written: &Value) -> Result<ApiCall, QueryError> {
        let mut map = written.as_object().cloned().unwrap_or_default();
        map.remove("default");
        map.remove("jmesPath");
        let call = self.substituted(&Value::object(map))?;
        let text = |value: Option<&Value>| value.and_then(Value::as_shared_str).cloned();
        let url = text(call.dig(["service", "url"])).or_else(|| text(call.get("urlPath")));
        let method = text(call.get("method")).unwrap_or_else(|| "GET".into());
        let data = call.get("data").and_then(Value::as_array).unwrap_or_default();
        let member = |item: &Value| Some((text(item.get("key"))?, item.get("value").cloned().unwrap_or_default()));
        let body: Map = data.iter().filter_map(member).collect();
        let body = if &*method == "POST" { Value::object(body) } else { Value::Null };
        Ok(ApiCall { method, url: url.unwrap_or_default(), body })
    }

    /// A namespaced policy may only ask about its own namespace.
    fn check_namespace(&self, url: &str) -> Result<(), QueryError> {
        let own = self.context.names.namespace;
        if own.is_empty() {
            return Ok(());
        }
        let mut parts = url.split('/').skip_while(|part| *part != "namespaces");
        parts.next();
        let in_api = url.starts_with("/api/") || url.starts_with("/apis/");
        let traverses = url.contains("..") || url.contains('%');
        match parts.next() {
            Some(namespace) if in_api && !traverses && namespace == own => Ok(()),
            _ => Err(self.invalid(&format!("path {url} does not stay in the policy's namespace {own}"))),
        }
    }

    fn global_reference(&self, name: &Str, jmes_path: Option<&Str>) -> Result<Value, QueryError> {
        if !self.context.names.namespace.is_empty() {
            return Err(self.invalid("globalReference is not allowed in namespaced policies"));
        }
        let name = self.text(name, "globalReference.name")?;
        let mut parts = name.split('.');
        let (entry, projection) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let data = self.context.environment.lookups.global_context(entry, projection);
        self.transformed(data.map_err(|error| self.unavailable(&error))?, jmes_path)
    }

    fn transformed(&self, data: Value, jmes_path: Option<&Str>) -> Result<Value, QueryError> {
        let Some(path) = jmes_path else { return Ok(data) };
        let path = self.text(path, "jmesPath")?;
        self.context.query_value(&path, &data).map_err(|error| self.because("failed to apply jmespath", error))
    }

    fn substituted(&self, value: &Value) -> Result<Value, QueryError> {
        substitute(value, self.context).map_err(|error| self.because_variable(error))
    }

    fn text(&self, text: &Str, what: &str) -> Result<Str, QueryError> {
        match self.substituted(&Value::String(text.clone()))? {
            Value::String(text) => Ok(text),
            other => Err(self.invalid(&format!("{what} must be a text, it is {other}"))),
        }
    }

    fn invalid(&self, reason: &str) -> QueryError {
        QueryError::Lookup(format!("failed to load context entry `{}`: {reason}", self.name))
    }

    fn unavailable(&self, error: &LookupError) -> QueryError {
        let reason = self.invalid(&error.to_string());
        if matches!(error, LookupError::Unavailable { .. }) {
            self.context.set_unavailable(&reason.to_string());
        }
        reason
    }

    /// A missing key stays one, so that the places that forgive it still can.
    fn because(&self, what: &str, error: QueryError) -> QueryError {
        match error {
            QueryError::NotFound { .. } | QueryError::StepLimit => error,
            other => self.invalid(&format!("{what}: {other}")),
        }
    }

    fn because_variable(&self, error: VariableError) -> QueryError {
        match error {
            VariableError::Unresolved {
                source: source @ (QueryError::NotFound { .. } | QueryError::StepLimit),
                ..
            } => source,
            other => self.invalid(&other.to_string()),
        }
    }
}
