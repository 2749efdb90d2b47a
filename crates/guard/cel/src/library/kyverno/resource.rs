//! `resource.Get`, `resource.List`, `resource.Post` and `resource.ToGVR`: other objects of the cluster.
//!
//! A namespaced policy leaves the namespace out of its calls: its own is meant. An object that does not exist is `null`.

use std::any::Any;

use palisade_model::{Map, Str, Value};
use palisade_policy::{ApiCall, LookupError, ObjectQuery};

use crate::library::{Call, Function, Library, mismatch};
use crate::value::Opaque;
use crate::{Dict, EvalError, Type, Val};

/// The service, bound to the namespace of a namespaced policy.
#[derive(Debug, PartialEq, Eq)]
struct Resources {
    namespace: Option<Str>,
}

/// Group, version and plural name of an API resource.
#[derive(Debug, PartialEq, Eq)]
struct ApiResource {
    group: Str,
    version: Str,
    resource: Str,
}

fn context_type() -> Type {
    Type::opaque("resource.Context")
}

fn api_resource_type() -> Type {
    Type::opaque("schema.GroupVersionResource")
}

impl Opaque for Resources {
    fn opaque_type(&self) -> Type {
        context_type()
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        Err(EvalError::invalid("`resource` has no JSON form"))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

impl Opaque for ApiResource {
    fn opaque_type(&self) -> Type {
        api_resource_type()
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        other.as_any().downcast_ref() == Some(self)
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        let members = [("Group", &self.group), ("Version", &self.version), ("Resource", &self.resource)];
        Ok(Value::object(members.map(|(name, text)| (name.into(), Value::from(text.clone()))).into_iter().collect()))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

pub(super) fn library(namespace: Option<Str>) -> Library {
    let object = || Type::map(Type::String, Type::Dyn);
    let labels = || Type::map(Type::String, Type::String);
    let namespaces = if namespace.is_some() { vec![] } else { vec![Type::String] };
    let by_name = [vec![context_type(), Type::String, Type::String], namespaces.clone()].concat();
    let by_resource = [vec![context_type(), api_resource_type()], namespaces].concat();
    let with = |params: &[Type], last: Type| [params.to_vec(), vec![last]].concat();
    let mut functions = Vec::new();
    let mut add = |names: [&'static str; 2], params: Vec<Type>, result: Type, call| {
        for name in names {
            functions.push(Function::member(name, params.clone(), result.clone(), call).contextual());
        }
    };
    for params in [&by_name, &by_resource] {
        add(["List", "list"], params.clone(), object(), list);
        add(["List", "list"], with(params, labels()), object(), list);
        add(["Get", "get"], with(params, Type::String), object(), get);
    }
    add(["Post", "post"], with(&by_name, object()), object(), post);
    if namespace.is_none() {
        add(["Post", "post"], vec![context_type(), Type::String, Type::String, object()], object(), post);
    }
    add(["ToGVR", "toGVR"], vec![context_type(), Type::String, Type::String], api_resource_type(), to_gvr);
    let constants = vec![("resource", Val::opaque(Resources { namespace }))];
    Library { constants, ..Library::of("kyverno.resource", functions) }
}

/// What the arguments behind the receiver ask for, and those that are left.
fn query<'a>(function: &str, args: &'a [Val]) -> Result<(ObjectQuery, &'a [Val]), EvalError> {
    let wrong = || mismatch(function, args);
    let [receiver, args @ ..] = args else { return Err(wrong()) };
    let own = &receiver.downcast::<Resources>().ok_or_else(wrong)?.namespace;
    let (mut query, args) = match args {
        [Val::String(api_version), Val::String(resource), args @ ..] => {
            let (group, version) = split_api_version(api_version)?;
            let resource = resource.clone();
            (ObjectQuery { group, version, resource, ..ObjectQuery::default() }, args)
        }
        [found, args @ ..] => {
            let found = found.downcast::<ApiResource>().ok_or_else(wrong)?;
            let (group, version) = (found.group.clone(), found.version.clone());
            (ObjectQuery { group, version, resource: found.resource.clone(), ..ObjectQuery::default() }, args)
        }
        [] => return Err(wrong()),
    };
    match (own, args) {
        (Some(own), _) => {
            query.namespace = own.clone();
            Ok((query, args))
        }
        (None, [Val::String(namespace), args @ ..]) => {
            query.namespace = namespace.clone();
            Ok((query, args))
        }
        (None, _) => Ok((query, args)),
    }
}

fn split_api_version(text: &str) -> Result<(Str, Str), EvalError> {
    match text.split_once('/') {
        None => Ok(("".into(), text.into())),
        Some((_, version)) if version.contains('/') => {
            Err(EvalError::invalid(format_args!("unexpected GroupVersion string: {text}")))
        }
        Some((group, version)) => Ok((group.into(), version.into())),
    }
}

fn get(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let (mut query, rest) = query("Get", args)?;
    let [Val::String(name)] = rest else { return Err(mismatch("Get", args)) };
    query.name = name.clone();
    match call.environment()?.lookups.get(&query) {
        Ok(object) => Ok(Val::from(object)),
        Err(LookupError::NotFound(_)) => Ok(Val::Null),
        Err(error) => Err(EvalError::invalid(format_args!("failed to get resource: {error}"))),
    }
}

/// The objects under `items`, those alone whose labels hold the given ones.
fn list(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let (query, rest) = query("List", args)?;
    let labels = match rest {
        [] => None,
        [Val::Map(labels)] => Some(labels),
        _ => return Err(mismatch("List", args)),
    };
    let objects = call.environment()?.lookups.list(&query);
    let mut objects = objects.map_err(|error| EvalError::invalid(format_args!("failed to list resource: {error}")))?;
    call.spend_size(objects.len())?;
    if let Some(labels) = labels {
        objects.retain(|object| has_labels(object, labels));
    }
    let mut answer = Map::new();
    answer.insert("items", objects);
    Ok(Val::from(Value::object(answer)))
}

fn has_labels(object: &Value, labels: &Dict) -> bool {
    let own = object.dig(["metadata", "labels"]);
    labels.iter().all(|(key, wanted)| {
        let label = own.and_then(|own| own.get(&key.to_json_key()));
        label.is_some_and(|label| Val::from(label) == wanted)
    })
}

/// Creating objects is a call to the API server, for reviews such as SubjectAccessReview.
fn post(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let (query, rest) = query("Post", args)?;
    let [body @ Val::Map(_)] = rest else { return Err(mismatch("Post", args)) };
    let root = if query.group.is_empty() { "/api".to_owned() } else { format!("/apis/{}", query.group) };
    let place = if query.namespace.is_empty() { String::new() } else { format!("/namespaces/{}", query.namespace) };
    let url = format!("{root}/{}{place}/{}", query.version, query.resource).into();
    let request = ApiCall { method: "POST".into(), url, body: body.to_value()? };
    let answer = call.environment()?.lookups.call(&request);
    answer.map(Val::from).map_err(|error| EvalError::invalid(format_args!("failed to create resource: {error}")))
}

fn to_gvr(_: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let [_, Val::String(api_version), Val::String(kind)] = args else { return Err(mismatch("ToGVR", args)) };
    let (group, version) = split_api_version(api_version)?;
    let resource = palisade_model::resource::plural(kind).into();
    Ok(Val::opaque(ApiResource { group, version, resource }))
}
