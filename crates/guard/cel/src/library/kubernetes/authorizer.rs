//! `authorizer.group('apps').resource('deployments').check('create').allowed()` and its kin.
//!
//! The questions can be put, with the errors that Kubernetes gives for malformed ones, but nothing offline can answer
//! them: whatever reads a decision is an evaluation error.

use std::any::Any;

use palisade_model::{Map, Str, Value};

use super::format::{is_dns_label, is_dns_subdomain};
use crate::library::{Call, Function, Library, mismatch};
use crate::value::Opaque;
use crate::{EvalError, Type, Val};

/// How far a question has been put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Authorizer,
    PathCheck,
    GroupCheck,
    ResourceCheck,
    Decision,
}

impl Stage {
    fn of_type(self) -> Type {
        Type::opaque(match self {
            Self::Authorizer => "kubernetes.authorization.Authorizer",
            Self::PathCheck => "kubernetes.authorization.PathCheck",
            Self::GroupCheck => "kubernetes.authorization.GroupCheck",
            Self::ResourceCheck => "kubernetes.authorization.ResourceCheck",
            Self::Decision => "kubernetes.authorization.Decision",
        })
    }
}

/// A question about permissions, complete once it is a decision.
#[derive(Clone, Debug, PartialEq)]
struct Question {
    stage: Stage,
    attributes: Map,
}

impl Opaque for Question {
    fn opaque_type(&self) -> Type {
        self.stage.of_type()
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        Err(EvalError::invalid("an authorization check has no JSON form"))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// The type of the variable `authorizer`.
pub fn authorizer_type() -> Type {
    Stage::Authorizer.of_type()
}

/// The type of the variable `authorizer.requestResource`.
pub fn resource_check_type() -> Type {
    Stage::ResourceCheck.of_type()
}

/// The value of the variable `authorizer`.
pub fn authorizer() -> Val {
    Val::opaque(Question { stage: Stage::Authorizer, attributes: Map::new() })
}

/// The value of the variable `authorizer.requestResource`: a check of the resource of the request.
pub fn request_resource(group: &Str, resource: &Str, sub_resource: &Str, namespace: &Str, name: &Str) -> Val {
    let attributes = [
        ("group", group),
        ("resource", resource),
        ("subresource", sub_resource),
        ("namespace", namespace),
        ("name", name),
    ];
    let attributes = attributes.into_iter().map(|(key, text)| (key.into(), Value::from(text.clone()))).collect();
    Val::opaque(Question { stage: Stage::ResourceCheck, attributes })
}

pub(super) fn library() -> Library {
    use Stage::{Authorizer, Decision, GroupCheck, PathCheck, ResourceCheck};
    let step =
        |name, from: Stage, to: Stage, call| Function::member(name, [from.of_type(), Type::String], to.of_type(), call);
    let read = |name, result, call| Function::member(name, [Decision.of_type()], result, call);
    let functions = vec![
        step("path", Authorizer, PathCheck, |_, args| ask(args, "path", PathCheck, true)),
        step("group", Authorizer, GroupCheck, |_, args| ask(args, "group", GroupCheck, false)),
        Function::member(
            "serviceAccount",
            [Authorizer.of_type(), Type::String, Type::String],
            Authorizer.of_type(),
            service_account,
        ),
        step("resource", GroupCheck, ResourceCheck, |_, args| ask(args, "resource", ResourceCheck, true)),
        step("subresource", ResourceCheck, ResourceCheck, |_, args| ask(args, "subresource", ResourceCheck, false)),
        step("namespace", ResourceCheck, ResourceCheck, |_, args| ask(args, "namespace", ResourceCheck, false)),
        step("name", ResourceCheck, ResourceCheck, |_, args| ask(args, "name", ResourceCheck, false)),
        step("fieldSelector", ResourceCheck, ResourceCheck, |_, args| ask(args, "fieldSelector", ResourceCheck, false)),
        step("labelSelector", ResourceCheck, ResourceCheck, |_, args| ask(args, "labelSelector", ResourceCheck, false)),
        step("check", PathCheck, Decision, |_, args| ask(args, "verb", Decision, false)),
        step("check", ResourceCheck, Decision, |_, args| ask(args, "verb", Decision, false)),
        read("allowed", Type::Bool, undecided),
        read("reason", Type::String, undecided),
        read("errored", Type::Bool, undecided),
        read("error", Type::String, undecided),
    ];
    let functions: Vec<_> = functions.into_iter().map(Function::contextual).collect();
    Library::of("kubernetes.authz", functions)
}

/// Adds one attribute to the question.
fn ask(args: &[Val], attribute: &'static str, stage: Stage, required: bool) -> Result<Val, EvalError> {
    let (Some(question), Some(Val::String(value))) = (args.first().and_then(Val::downcast::<Question>), args.get(1))
    else {
        return Err(mismatch(attribute, args));
    };
    if required && value.trim().is_empty() {
        return Err(EvalError::invalid(format_args!("{attribute} must not be empty")));
    }
    let mut attributes = question.attributes.clone();
    attributes.insert(attribute, value.clone());
    Ok(Val::opaque(Question { stage, attributes }))
}

fn service_account(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [question, Val::String(namespace), Val::String(name)] = args else {
        return Err(mismatch("serviceAccount", args));
    };
    let question = question.downcast::<Question>().ok_or_else(|| mismatch("serviceAccount", args))?;
    if !is_dns_subdomain(name) {
        return Err(EvalError::invalid("Invalid service account name"));
    }
    if !is_dns_label(namespace) {
        return Err(EvalError::invalid("Invalid service account namespace"));
    }
    let mut attributes = question.attributes.clone();
    attributes.insert("user", format!("system:serviceaccount:{namespace}:{name}"));
    Ok(Val::opaque(Question { stage: Stage::Authorizer, attributes }))
}

fn undecided(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let question = args.first().and_then(Val::downcast::<Question>);
    let asked = question.map(|question| Value::object(question.attributes.clone()).to_json()).unwrap_or_default();
    Err(EvalError::invalid(format_args!(
        "authorization cannot be checked offline: {asked}; leave out rules that ask `authorizer`"
    )))
}
