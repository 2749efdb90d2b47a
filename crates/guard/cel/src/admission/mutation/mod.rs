//! `mutations`: apply configurations and JSON patches that expressions compute.

mod merge;
mod shapes;

use palisade_model::Value;
use palisade_model::patch::{self, Dialect as PatchDialect};

use super::codes;
use super::document::Node;
use super::evaluation::Evaluation;
use super::expression::{Compiler, Expression};
use crate::library::kubernetes::JsonPatch;
use crate::library::kubernetes::object::DynamicObject;
use crate::{EvalError, Opaque, Type, Val};

/// The mutations of a policy, in order.
#[derive(Clone, Debug, Default)]
pub struct Mutations(Vec<Mutation>);

#[derive(Clone, Debug)]
struct Mutation {
    expression: Expression,
    form: Form,
}

#[derive(Clone, Copy, Debug)]
enum Form {
    /// `ApplyConfiguration`: an `Object` to merge.
    Apply {
        /// Whether parts that can only be replaced as a whole may be.
        replace_atomics: bool,
    },
    /// `JSONPatch`: operations.
    Patch,
}

impl Mutations {
    /// Reads and compiles `mutations` of `spec`.
    pub fn compile(compiler: &mut Compiler<'_, '_>, spec: &Node<'_>, replace_atomics: bool) -> Self {
        let nodes = compiler.reader.list(spec, "mutations");
        let mutation = |node: &Node<'_>| {
            let patch_type = compiler.reader.required_text(node, "patchType")?;
            let (key, form, results) = match &*patch_type {
                "ApplyConfiguration" => {
                    ("applyConfiguration", Form::Apply { replace_atomics }, vec![Type::object("Object")])
                }
                "JSONPatch" => ("jsonPatch", Form::Patch, vec![Type::list(Type::object("JSONPatch"))]),
                other => {
                    let (path, help) = (node.path.child("patchType"), "use ApplyConfiguration or JSONPatch");
                    compiler.reader.error(codes::UNKNOWN_NAME, &path, format!("unknown patch type `{other}`"), help);
                    return None;
                }
            };
            let Some(body) = compiler.reader.object(node, key) else {
                compiler.reader.missing(node, key);
                return None;
            };
            Some(Mutation { expression: compiler.required(&body, "expression", &results)?, form })
        };
        Self(nodes.iter().filter_map(mutation).collect())
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The mutations one by one.
    pub fn iter(&self) -> impl Iterator<Item = MutationStep<'_>> {
        self.0.iter().map(MutationStep)
    }
}

/// One mutation, to be applied to the object as the ones before it left it.
#[derive(Clone, Copy, Debug)]
pub struct MutationStep<'a>(&'a Mutation);

impl MutationStep<'_> {
    /// `object` after this mutation, where `evaluation` sees the same object.
    pub fn apply(&self, object: &Value, evaluation: &Evaluation<'_>) -> Result<Value, String> {
        let expression = &self.0.expression;
        let value = expression.evaluate(evaluation).map_err(|failure| failure.to_string())?;
        let fail = |error: EvalError| expression.failure(error).to_string();
        match self.0.form {
            Form::Apply { replace_atomics } => {
                let configuration = apply_configuration(&value).map_err(fail)?;
                merge::apply(object, &configuration, replace_atomics).map_err(|why| fail(EvalError::invalid(why)))
            }
            Form::Patch => apply_patch(object, &value).map_err(fail),
        }
    }
}

/// A patch whose `test` does not hold leaves the object alone.
fn apply_patch(object: &Value, value: &Val) -> Result<Value, EvalError> {
    let operations = Value::array(json_patch(value)?);
    match patch::apply(object, &operations, PatchDialect::Kubernetes) {
        Ok(patched) => Ok(patched),
        Err(error) if error.test_failed => Ok(object.clone()),
        Err(error) => Err(EvalError::invalid(error)),
    }
}

fn apply_configuration(value: &Val) -> Result<Value, EvalError> {
    let Some(object) = value.downcast::<DynamicObject>() else {
        let found = value.type_name();
        return Err(EvalError::invalid(format_args!("an ApplyConfiguration must be an `Object`, not {found}")));
    };
    object.check_type_names()?;
    object.to_value()
}

fn json_patch(value: &Val) -> Result<Vec<Value>, EvalError> {
    let Some(list) = value.as_list() else {
        let found = value.type_name();
        return Err(EvalError::invalid(format_args!("a JSONPatch must be a list, not {found}")));
    };
    let operation = |item: Val| match item.downcast::<JsonPatch>() {
        Some(patch) => patch.to_value(),
        None => Err(EvalError::invalid(format_args!("an operation must be a `JSONPatch`, not {}", item.type_name()))),
    };
    list.iter().map(operation).collect()
}
