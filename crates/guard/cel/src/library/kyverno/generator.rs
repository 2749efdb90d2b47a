//! `generator.Apply(namespace, objects)`: what a GeneratingPolicy makes.
//!
//! Nothing is created here. The variable `generator` is a [`Collector`]'s handle, which the evaluation of one policy
//! makes, binds, and empties afterwards:
//!
//! ```ignore
//! let collector = Collector::new();
//! let scope = Bindings::new().with("generator", collector.handle(None));
//! program.evaluate(&scope, &mut budget)?;
//! let generated = collector.take();
//! ```

use std::any::Any;
use std::sync::{Arc, Mutex, PoisonError};

use palisade_model::{Map, Str, Value};

use crate::library::{Call, Cost, Function, Library, mismatch};
use crate::value::Opaque;
use crate::{EvalError, Type, Val};

/// The most objects that one evaluation may make.
const MAX_GENERATED: usize = 10_000;

/// Gathers the objects that the expressions of one evaluation apply.
#[derive(Clone, Debug, Default)]
pub struct Collector(Arc<Mutex<Vec<Value>>>);

impl Collector {
    /// A collector without objects.
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of the variable `generator`. A policy that is bound to a namespace generates only there.
    pub fn handle(&self, namespace: Option<Str>) -> Val {
        Val::opaque(Generator { collector: self.clone(), namespace })
    }

    /// The objects so far, in order; the collector is empty afterwards.
    pub fn take(&self) -> Vec<Value> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn add(&self, object: Value) -> Result<(), EvalError> {
        let mut objects = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if objects.len() >= MAX_GENERATED {
            return Err(EvalError::invalid(format_args!("more than {MAX_GENERATED} objects are generated at once")));
        }
        objects.push(object);
        Ok(())
    }
}

#[derive(Debug)]
struct Generator {
    collector: Collector,
    namespace: Option<Str>,
}

/// The type of the variable `generator`.
pub fn generator_type() -> Type {
    Type::opaque("generator.Context")
}

impl Opaque for Generator {
    fn opaque_type(&self) -> Type {
        generator_type()
    }

    fn equals(&self, other: &dyn Opaque) -> bool {
        let other = other.as_any().downcast_ref::<Self>();
        other.is_some_and(|other| Arc::ptr_eq(&self.collector.0, &other.collector.0))
    }

    fn to_value(&self) -> Result<Value, EvalError> {
        Err(EvalError::invalid("`generator` has no JSON form"))
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// `Apply` and `apply` of cluster-wide policies, which name a namespace.
pub fn library() -> Library {
    library_with(vec![Type::String])
}

/// `Apply` and `apply` of namespaced policies.
pub fn namespaced_library() -> Library {
    library_with(Vec::new())
}

fn library_with(namespace: Vec<Type>) -> Library {
    let objects = Type::list(Type::map(Type::String, Type::Dyn));
    let params: Vec<Type> = [vec![generator_type()], namespace, vec![objects]].concat();
    let function = |name| Function::member(name, params.clone(), Type::Bool, apply).contextual().cost(Cost::Sizes);
    Library::of("kyverno.generator", ["Apply", "apply"].map(function))
}

fn apply(call: &mut Call<'_>, args: &[Val]) -> Result<Val, EvalError> {
    let (generator, namespace, objects) = match args {
        [generator, Val::String(namespace), Val::List(objects)] => (generator, Some(namespace), objects),
        [generator, Val::List(objects)] => (generator, None, objects),
        _ => return Err(mismatch("Apply", args)),
    };
    let generator = generator.downcast::<Generator>().ok_or_else(|| mismatch("Apply", args))?;
    let namespace = generator.namespace.as_ref().or(namespace).cloned().unwrap_or_default();
    for object in objects.iter() {
        call.spend(1)?;
        let object = object.to_value()?;
        match object.get("items").and_then(Value::as_array) {
            Some(items) => items.iter().try_for_each(|item| generator.collector.add(placed(item, &namespace)))?,
            None => generator.collector.add(placed(&object, &namespace))?,
        }
    }
    Ok(Val::Bool(true))
}

/// The object in its namespace; an empty one leaves none.
fn placed(object: &Value, namespace: &Str) -> Value {
    let mut object = object.clone();
    let Some(members) = object.as_object_mut() else { return object };
    if namespace.is_empty() && !members.contains_key("metadata") {
        return object;
    }
    let metadata = members.entry("metadata");
    if metadata.as_object().is_none() {
        *metadata = Value::object(Map::new());
    }
    if let Some(metadata) = metadata.as_object_mut() {
        if namespace.is_empty() {
            metadata.remove("namespace");
        } else {
            metadata.insert("namespace", namespace.clone());
        }
    }
    object
}
