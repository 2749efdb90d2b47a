//! What `rego.metadata.rule()` and `rego.metadata.chain()` give in each rule: known before anything runs.

use palisade_model::Str;
use palisade_rego_value::Value;

use super::tree::constant_parts;
use crate::syntax::ast::{Annotation, Module, Rule, Scope};

/// The annotations of the rule itself, and the chain from the rule to the outermost package.
pub(super) fn of_rule(modules: &[Module], module: &Module, index: usize, rule: &Rule) -> [Value; 2] {
    if !module.source.slice(rule.span).contains("rego.metadata") {
        return [Value::object(Vec::new()), Value::array(Vec::new())];
    }
    let path = full_path(module, rule);
    let own: Vec<Value> = scoped(module, Scope::Rule).filter(|it| it.rule == Some(index)).map(annotations).collect();
    let mut chain: Vec<Value> = own.iter().map(|value| link(&path, Some(value.clone()))).collect();
    if chain.is_empty() {
        chain.push(link(&path, None));
    }
    for other in modules {
        for annotation in scoped(other, Scope::Document) {
            let about = annotation.rule.and_then(|index| other.rules.get(index));
            if about.is_some_and(|about| full_path(other, about) == path) {
                chain.push(link(&path, Some(annotations(annotation))));
            }
        }
    }
    for (scope, package) in packages(&module.package) {
        for other in modules.iter().filter(|other| other.package == package) {
            chain.extend(scoped(other, scope).map(|annotation| link(package, Some(annotations(annotation)))));
        }
    }
    let own = own.into_iter().next().unwrap_or_else(|| Value::object(Vec::new()));
    [own, Value::array(chain)]
}

/// The package itself, then those it lies in.
fn packages(package: &[Str]) -> impl Iterator<Item = (Scope, &[Str])> {
    let above = (0..=package.len()).rev().filter_map(|length| Some((Scope::Subpackages, package.get(..length)?)));
    std::iter::once((Scope::Package, package)).chain(above)
}

fn full_path(module: &Module, rule: &Rule) -> Vec<Str> {
    module.package.iter().cloned().chain(constant_parts(&rule.head)).collect()
}

fn scoped(module: &Module, scope: Scope) -> impl Iterator<Item = &Annotation> {
    module.annotations.iter().filter(move |annotation| annotation.scope == scope)
}

fn annotations(annotation: &Annotation) -> Value {
    let mut value = Value::from(&annotation.value);
    if let Value::Object(object) = &mut value {
        let scope = match annotation.scope {
            Scope::Rule => "rule",
            Scope::Document => "document",
            Scope::Package => "package",
            Scope::Subpackages => "subpackages",
        };
        std::sync::Arc::make_mut(object).insert(Value::from("scope"), Value::from(scope));
    }
    value
}

fn link(path: &[Str], annotations: Option<Value>) -> Value {
    let path = Value::array(path.iter().cloned().map(Value::String).collect());
    let annotations = annotations.map(|value| (Value::from("annotations"), value));
    Value::object(annotations.into_iter().chain([(Value::from("path"), path)]).collect())
}
