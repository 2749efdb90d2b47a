//! Label selectors, as Kubernetes evaluates `metav1.LabelSelector`.
//!
//! Deliberately absent: the string form (`app=web,tier!=db`), which no policy field uses.

use palisade_model::{Map, Str, Value};

use super::codes;
use super::document::{Node, Reader};

/// `matchLabels` and `matchExpressions`, all of which must hold. An empty selector selects everything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LabelSelector {
    requirements: Vec<Requirement>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Requirement {
    key: Str,
    operator: Operator,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Operator {
    In(Vec<Str>),
    NotIn(Vec<Str>),
    Exists,
    DoesNotExist,
}

impl LabelSelector {
    /// Reads a selector; `Err` says what is wrong with it.
    pub fn read(selector: &Value) -> Result<Self, String> {
        let mut requirements = Vec::new();
        if let Some(labels) = selector.get("matchLabels").and_then(Value::as_object) {
            for (key, value) in labels.iter() {
                let value = value.as_shared_str().ok_or_else(|| format!("label `{key}` must be a string"))?;
                requirements.push(Requirement { key: key.clone(), operator: Operator::In(vec![value.clone()]) });
            }
        }
        for expression in selector.get("matchExpressions").and_then(Value::as_array).unwrap_or_default() {
            requirements.push(Requirement::read(expression)?);
        }
        Ok(Self { requirements })
    }

    /// Reads the selector at `key`; one that selects everything where it is absent.
    pub fn read_at(reader: &mut Reader<'_>, parent: &Node<'_>, key: &str) -> Self {
        let Some(node) = reader.object(parent, key) else { return Self::default() };
        Self::read(node.value).unwrap_or_else(|message| {
            reader.error(codes::UNKNOWN_NAME, &node.path, message, "write it as a Kubernetes label selector");
            Self::default()
        })
    }

    /// Whether it selects everything.
    pub fn is_empty(&self) -> bool {
        self.requirements.is_empty()
    }

    /// Whether an object with these labels is selected; `None` stands for an object without labels.
    pub fn matches(&self, labels: Option<&Map>) -> bool {
        self.requirements.iter().all(|requirement| requirement.matches(labels))
    }

    /// Whether an object is selected of which one label is known and the others are not; none where the others decide.
    pub fn matches_partly(&self, key: &str, value: &str) -> Option<bool> {
        let known = Map::from_iter([(Str::from(key), Value::from(value))]);
        let (certain, open): (Vec<_>, Vec<_>) =
            self.requirements.iter().partition(|requirement| *requirement.key == *key);
        let held = certain.into_iter().all(|requirement| requirement.matches(Some(&known)));
        (!held || open.is_empty()).then_some(held)
    }

    /// Whether `object` is selected by its `metadata.labels`.
    pub fn matches_object(&self, object: &Value) -> bool {
        self.matches(object.dig(["metadata", "labels"]).and_then(Value::as_object))
    }
}

impl Requirement {
    fn read(expression: &Value) -> Result<Self, String> {
        let text = |key| expression.get(key).and_then(Value::as_shared_str).cloned();
        let key = text("key").ok_or("a selector expression needs a `key`")?;
        let operator = text("operator").unwrap_or_default();
        let values: Vec<Str> = expression
            .get("values")
            .and_then(Value::as_array)
            .unwrap_or_default()
            .iter()
            .filter_map(|value| value.as_shared_str().cloned())
            .collect();
        let operator = match (&*operator, values.is_empty()) {
            ("In", false) => Operator::In(values),
            ("NotIn", false) => Operator::NotIn(values),
            ("Exists", true) => Operator::Exists,
            ("DoesNotExist", true) => Operator::DoesNotExist,
            ("In" | "NotIn", true) => return Err(format!("operator `{operator}` on `{key}` needs `values`")),
            ("Exists" | "DoesNotExist", false) => {
                return Err(format!("operator `{operator}` on `{key}` takes no `values`"));
            }
            _ => return Err(format!("`{operator}` is not one of In, NotIn, Exists, DoesNotExist")),
        };
        Ok(Self { key, operator })
    }

    fn matches(&self, labels: Option<&Map>) -> bool {
        let label = labels.and_then(|labels| labels.get(&self.key)).map(|value| value.as_str().unwrap_or_default());
        let listed = |values: &[Str]| label.is_some_and(|label| values.iter().any(|value| &**value == label));
        match &self.operator {
            Operator::In(values) => listed(values),
            Operator::NotIn(values) => !listed(values),
            Operator::Exists => label.is_some(),
            Operator::DoesNotExist => label.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use palisade_model::json;

    use super::*;

    fn selects(selector: &Value, labels: &Value) -> bool {
        LabelSelector::read(selector).unwrap().matches(labels.as_object())
    }

    #[test]
    fn every_requirement_must_hold() {
        let labels = json!({"app": "web", "tier": "front"});
        assert!(selects(&json!({}), &labels));
        assert!(selects(&json!({"matchLabels": {"app": "web"}}), &labels));
        assert!(!selects(&json!({"matchLabels": {"app": "web", "tier": "back"}}), &labels));
        let expression = |operator: &str, values: &str| {
            Value::from_json(&format!(
                r#"{{"matchExpressions":[{{"key":"tier","operator":"{operator}","values":{values}}}]}}"#
            ))
            .unwrap()
        };
        assert!(selects(&expression("In", r#"["front", "back"]"#), &labels));
        assert!(!selects(&expression("NotIn", r#"["front"]"#), &labels));
        assert!(selects(&expression("NotIn", r#"["front"]"#), &json!({})));
        assert!(selects(&expression("Exists", "[]"), &labels));
        assert!(selects(&expression("DoesNotExist", "[]"), &json!({})));
    }

    #[test]
    fn a_broken_selector_is_refused() {
        let broken = json!({"matchExpressions": [{"key": "a", "operator": "Near", "values": ["b"]}]});
        assert!(LabelSelector::read(&broken).unwrap_err().contains("`Near`"));
        let broken = json!({"matchExpressions": [{"key": "a", "operator": "In"}]});
        assert!(LabelSelector::read(&broken).unwrap_err().contains("needs `values`"));
    }
}
