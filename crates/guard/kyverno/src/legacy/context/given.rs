//! Variables from a values file: what stands in for look-ups when policies are tested.

use palisade_model::{Map, Str, Value};
use palisade_policy::Variables;

/// The variables that hold for one policy, resource and rule, as the tree that their dotted names describe.
#[derive(Clone, Debug, Default)]
pub struct Given(Map);

impl Given {
    /// The variables for a rule: global ones, then the resource's, then the rule's own.
    pub fn of(variables: &Variables, policy: &str, resource: &str, rule: &str) -> Self {
        let mut tree = Self::of_resource(variables, policy, resource);
        if variables.rules.is_empty() && variables.foreach.is_empty() {
            return tree;
        }
        // A derived rule has the variables of its origin.
        let derived = ["", "autogen-", "autogen-cronjob-"].iter().filter_map(|prefix| rule.strip_prefix(prefix));
        for key in derived.map(|rule| (Str::from(policy), Str::from(rule))) {
            tree.add_all(variables.rules.get(&key));
            // Kyverno uses the first element in every round.
            for (name, values) in variables.foreach.get(&key).into_iter().flat_map(Map::iter) {
                tree.add(name, values.at(0).unwrap_or(values));
            }
        }
        tree
    }

    /// The variables for a resource under a policy.
    pub fn of_resource(variables: &Variables, policy: &str, resource: &str) -> Self {
        let mut tree = Self::default();
        tree.add_all(Some(&variables.globals));
        if !variables.resources.is_empty() {
            tree.add_all(variables.resources.get(&(policy.into(), resource.into())));
        }
        tree
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a top-level name.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// All of them.
    pub fn tree(&self) -> &Map {
        &self.0
    }

    /// `over` merged onto `base`.
    pub fn merged(base: &Value, over: &Value) -> Value {
        merged(Some(base), Some(over)).unwrap_or_default()
    }

    fn add_all(&mut self, variables: Option<&Map>) {
        for (name, value) in variables.into_iter().flat_map(Map::iter) {
            self.add(name, value);
        }
    }

    fn add(&mut self, name: &str, value: &Value) {
        let mut value = value.clone();
        for field in fields(name).into_iter().rev() {
            value = Value::object([(Str::from(field), value)].into_iter().collect());
        }
        if let Value::Object(map) = value {
            merge(&mut self.0, &map);
        }
    }
}

/// The parts of a dotted name; parts with dots stand in double quotes.
fn fields(name: &str) -> Vec<String> {
    let mut fields = vec![String::new()];
    let mut quoted = false;
    for character in name.chars() {
        match (character, fields.last_mut()) {
            ('"', _) => quoted = !quoted,
            ('.', _) if !quoted => fields.push(String::new()),
            (other, Some(field)) => field.push(other),
            (_, None) => {}
        }
    }
    fields
}

/// Puts the members of `from` into `into`; objects are merged, everything else is replaced.
pub(super) fn merge(into: &mut Map, from: &Map) {
    for (key, value) in from.iter() {
        let slot = into.entry(key);
        match (slot.as_object_mut(), value) {
            (Some(below), Value::Object(map)) => merge(below, map),
            _ => *slot = value.clone(),
        }
    }
}

/// `over` merged onto `base`, either of which may be absent.
pub(super) fn merged(base: Option<&Value>, over: Option<&Value>) -> Option<Value> {
    match (base.and_then(Value::as_object), over) {
        (Some(base), Some(Value::Object(over))) => {
            let mut map = base.clone();
            merge(&mut map, over);
            Some(Value::object(map))
        }
        (_, over) => over.or(base).cloned(),
    }
}
