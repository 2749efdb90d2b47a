//! How the objects of a service are recognised: by an identifier, by labels, by a namespace.
//!
//! Backstage's annotations say it: `backstage.io/kubernetes-id` names a label of the objects,
//! `backstage.io/kubernetes-label-selector` is a Kubernetes label selector, `backstage.io/kubernetes-namespace` narrows
//! both. Deliberately absent: clusters, because a server looks at one.

use palisade_model::Value;
use serde::{Deserialize, Serialize};

/// How the objects of a service are recognised; kept in the store beside the service.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Selector {
    /// What the label `backstage.io/kubernetes-id` of the objects says.
    pub(super) kubernetes_id: Option<String>,
    /// What their labels fulfil; all of them.
    pub(super) requirements: Vec<Requirement>,
    /// The namespace that they are in; any where there is none.
    pub(super) namespace: Option<String>,
}

/// A requirement of a label selector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Requirement {
    /// The label.
    pub(super) key: String,
    /// How its value is compared.
    pub(super) operator: Operator,
    /// With what.
    pub(super) values: Vec<String>,
}

/// As Kubernetes names them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Operator {
    /// The value is one of those given.
    In,
    /// There is no such label, or its value is none of those given.
    NotIn,
    /// There is such a label.
    Exists,
    /// There is no such label.
    DoesNotExist,
}

impl Requirement {
    /// Whether labels fulfil it.
    pub(super) fn holds(&self, labels: &Value) -> bool {
        let value = labels.get(&self.key).and_then(Value::as_str);
        let is_named = |value: &str| self.values.iter().any(|wanted| wanted == value);
        match self.operator {
            Operator::In => value.is_some_and(is_named),
            Operator::NotIn => !value.is_some_and(is_named),
            Operator::Exists => value.is_some(),
            Operator::DoesNotExist => value.is_none(),
        }
    }
}

/// Reads a label selector as `kubectl -l` takes it: `app=web,tier in (a, b),!old`.
pub(super) fn parse(text: &str) -> Result<Vec<Requirement>, String> {
    let mut requirements = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let end = end_of_requirement(rest);
        let (part, tail) = rest.split_at(end);
        requirements.push(requirement(part.trim()).ok_or_else(|| format!("`{}` is no requirement", part.trim()))?);
        rest = tail.strip_prefix(',').unwrap_or(tail).trim_start();
    }
    if requirements.is_empty() { Err("it selects everything".to_owned()) } else { Ok(requirements) }
}

/// The comma that ends the first requirement; those within parentheses do not.
fn end_of_requirement(text: &str) -> usize {
    let mut depth = 0_u32;
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len()
}

fn requirement(text: &str) -> Option<Requirement> {
    let of = |key: &str, operator, values: Vec<String>| {
        let key = key.trim();
        let plain = !key.is_empty() && !key.contains(|c: char| c.is_whitespace() || matches!(c, '=' | '!' | '(' | ')'));
        plain.then(|| Requirement { key: key.to_owned(), operator, values })
    };
    let one = |value: &str| vec![value.trim().to_owned()];
    if let Some((head, list)) = text.strip_suffix(')').and_then(|text| text.split_once('(')) {
        let values = list.split(',').map(|value| value.trim().to_owned()).collect();
        let (key, word) = head.trim().rsplit_once(char::is_whitespace)?;
        return match word {
            "in" => of(key, Operator::In, values),
            "notin" => of(key, Operator::NotIn, values),
            _ => None,
        };
    }
    if let Some((key, value)) = text.split_once("!=") {
        return of(key, Operator::NotIn, one(value));
    }
    if let Some((key, value)) = text.split_once("==").or_else(|| text.split_once('=')) {
        return of(key, Operator::In, one(value));
    }
    match text.strip_prefix('!') {
        Some(key) => of(key, Operator::DoesNotExist, Vec::new()),
        None => of(text, Operator::Exists, Vec::new()),
    }
}
