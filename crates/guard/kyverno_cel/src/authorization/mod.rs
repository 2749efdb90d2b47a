//! ValidatingPolicy in the modes `HTTP` and `Envoy`: answers requests that a gateway asks about.
//!
//! Validations are asked in order until one computes a response; one that computes `null` has nothing to say.
//! Deliberately absent: the `mcp` and `jwks` libraries, which need a live connection; policies that call them do not
//! compile.

mod envoy;
mod http;
mod message;
mod token;

use palisade_cel::admission::binding::enforcement;
use palisade_cel::admission::{
    Compiler, Conditions, Dialect, Evaluation, Expression, Purpose, Reader, Subject, Variables, environment,
};
use palisade_cel::{Env, Type, Val};
use palisade_model::{Value, Verdict};
use palisade_policy::{Enforcement, Environment, Payload, Phase, Policy, PolicyInfo, Request, RuleOutcome};

use super::exception::Exception;
use super::identity::Identity;
use super::judging;
use super::kind::Kind;
use message::Message;

/// What asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gateway {
    /// Kyverno's own HTTP authorizer.
    Http,
    /// Envoy's external authorization.
    Envoy,
}

/// What a validation responds.
enum Response {
    Allowed,
    Denied(String),
}

/// A loaded ValidatingPolicy that answers a gateway.
#[derive(Debug)]
pub(super) struct AuthorizingPolicy {
    identity: Identity,
    gateway: Gateway,
    enforcement: Enforcement,
    conditions: Conditions,
    variables: Variables,
    validations: Vec<Expression>,
    exceptions: Vec<Exception>,
    ignore_failures: bool,
}

impl Gateway {
    /// The gateway of an evaluation mode.
    pub(super) fn of_mode(mode: &str) -> Option<Self> {
        match mode {
            "HTTP" => Some(Self::Http),
            "Envoy" => Some(Self::Envoy),
            _ => None,
        }
    }

    fn environment(self) -> Env {
        let libraries = match self {
            Self::Http => vec![http::library()],
            Self::Envoy => vec![envoy::library()],
        };
        let base = environment(Dialect::Kyverno, Purpose::Validation).extend();
        base.libraries(libraries).library(token::library()).build()
    }

    const fn response_type(self) -> &'static str {
        match self {
            Self::Http => http::RESPONSE,
            Self::Envoy => envoy::RESPONSE,
        }
    }

    /// The request as expressions see it.
    fn object(self, payload: &Value) -> Val {
        match self {
            Self::Http => http::request(payload),
            Self::Envoy => Val::from(envoy::request(payload)),
        }
    }

    /// `Ok(None)` where the value says nothing.
    fn response(self, value: &Val) -> Result<Option<Response>, String> {
        if matches!(value, Val::Null) {
            return Ok(None);
        }
        let message = Message::of(value, self.response_type())
            .ok_or_else(|| format!("a validation must compute a response or null, not {}", value.type_name()))?;
        Ok(Some(match self {
            Self::Http => http::read_response(message),
            Self::Envoy => envoy::read_response(message),
        }))
    }
}

impl AuthorizingPolicy {
    pub(super) fn read(reader: &mut Reader<'_>, exceptions: Vec<Exception>, gateway: Gateway) -> Option<Self> {
        let (identity, spec) = Identity::read(reader, Kind::Validating)?;
        let enforcement = enforcement(&reader.texts(&spec, "validationActions"));
        let ignore_failures = judging::ignores_failures(reader, &spec);
        let mut compiler = Compiler::new(reader, gateway.environment());
        let conditions = Conditions::compile(&mut compiler, &spec, "matchConditions");
        compiler.declare_variables(&spec, "variables");
        let results = [Type::object(gateway.response_type()), Type::Null];
        let nodes = compiler.reader.list(&spec, "validations");
        let validations = nodes.iter().filter_map(|node| compiler.required(node, "expression", &results)).collect();
        let variables = compiler.into_variables();
        let identity = identity.reaching(reader, Vec::new());
        (!reader.failed()).then_some(Self {
            identity,
            gateway,
            enforcement,
            conditions,
            variables,
            validations,
            exceptions,
            ignore_failures,
        })
    }

    fn answer(&self, payload: &Value, environment: &Environment<'_>) -> RuleOutcome {
        let subject = Subject::of_value(self.gateway.object(payload));
        let evaluation = Evaluation::new(&subject, environment, &self.variables);
        match self.respond(&evaluation) {
            Ok(Some(Response::Allowed)) => self.identity.outcome(Verdict::Pass, "request allowed"),
            Ok(Some(Response::Denied(why))) => self.identity.outcome(Verdict::Fail, format!("request denied, {why}")),
            Ok(None) => self.identity.outcome(Verdict::Skip, "request does not match"),
            Err(_) if self.ignore_failures => self.identity.outcome(Verdict::Skip, "request does not match"),
            Err(message) => self.identity.outcome(Verdict::Error, message),
        }
    }

    fn respond(&self, evaluation: &Evaluation<'_>) -> Result<Option<Response>, String> {
        if !self.conditions.hold(evaluation)? || !Exception::matching(&self.exceptions, evaluation)?.is_empty() {
            return Ok(None);
        }
        for validation in &self.validations {
            let value = validation.evaluate(evaluation).map_err(|failure| failure.to_string())?;
            if let Some(response) = self.gateway.response(&value)? {
                return Ok(Some(response));
            }
        }
        Ok(None)
    }

    fn payload<'r>(&self, request: &'r Request) -> Option<&'r Value> {
        match (self.gateway, request.payload()) {
            (Gateway::Http, Payload::Http(payload)) | (Gateway::Envoy, Payload::Envoy(payload)) => Some(payload),
            _ => None,
        }
    }
}

impl Policy for AuthorizingPolicy {
    fn info(&self) -> &PolicyInfo {
        &self.identity.info
    }

    fn may_apply(&self, request: &Request) -> bool {
        self.payload(request).is_some()
    }

    fn evaluate(&self, phase: Phase, request: &Request, environment: &Environment<'_>) -> Vec<RuleOutcome> {
        let Some(payload) = self.payload(request).filter(|_| phase == self.identity.phase()) else { return Vec::new() };
        let outcome = self.answer(payload, environment);
        vec![RuleOutcome { enforcement: self.enforcement, ..outcome }]
    }
}
