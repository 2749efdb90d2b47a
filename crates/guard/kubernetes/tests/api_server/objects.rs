//! Objects of every kind, made up from its schema: some fields, in values that defaults depend on, empty, or null.

use palisade_model::Value as Seen;
use serde_json::{Map, Value, json};

use crate::openapi::{Field, Kind, Schemas, Shape};

/// What is worth trying in a field, by its name.
const VALUES: &[(&str, &[&str])] = &[
    (".image", &["web", "web:latest", "web:1", "registry.example:5000/a/web", "web@sha256:0", "A b"]),
    (".reference", &["web", "web:latest", "web:1"]),
    (".sessionAffinity", &["ClientIP", "None"]),
    ("DeploymentStrategy.type", &["RollingUpdate", "Recreate"]),
    ("DaemonSetUpdateStrategy.type", &["RollingUpdate", "OnDelete"]),
    ("StatefulSetUpdateStrategy.type", &["RollingUpdate", "OnDelete"]),
    ("ServiceSpec.type", &["ClusterIP", "LoadBalancer", "NodePort", "ExternalName"]),
    ("LimitRangeItem.type", &["Container", "Pod"]),
    ("PersistentVolumeClaim.kind", &["PersistentVolumeClaim"]),
    ("PersistentVolumeClaim.apiVersion", &["v1"]),
    (".kind", &["User", "Group", "ServiceAccount", "Thing"]),
    (".completionMode", &["Indexed", "NonIndexed"]),
    (".allocationMode", &["ExactCount", "All"]),
];

/// What only a cluster says of an object, in several fields that copy one another, and what a pod as a whole asks for.
const LEFT_OUT: &[&str] = &[
    "status",
    "managedFields",
    "creationTimestamp",
    "stringData",
    "podCIDR",
    "podCIDRs",
    "dataSource",
    "dataSourceRef",
    "clusterIP",
    "clusterIPs",
    "ipFamilies",
    "ipFamilyPolicy",
];

/// Amounts in several writings.
const AMOUNTS: &[&str] = &["1", "1000m", "0.5", "1Gi", "1024Mi", "100Mi", "2e3"];

/// Numbers that come out the same each time: a linear congruential generator.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}

/// Made-up objects of a kind with their names.
pub(crate) fn of(schemas: &Schemas, kind: &Kind, count: usize) -> Vec<(String, Value)> {
    let seed = kind.kind.bytes().fold(7_u64, |seed, byte| seed.wrapping_mul(31).wrapping_add(byte.into()));
    let mut dice = Dice(seed);
    let one = |at: usize| {
        let mut object = object(schemas, &kind.of, &mut Vec::new(), &mut dice);
        let name = format!("o{at}");
        object.insert("apiVersion".into(), json!(kind.api_version));
        object.insert("kind".into(), json!(kind.kind));
        object.remove("status");
        let mut metadata = json!({ "name": name });
        if kind.key.ends_with("/probe/") {
            metadata["namespace"] = json!("probe");
        }
        if at.is_multiple_of(3) {
            metadata["labels"] = json!({"app": "web"});
        }
        object.insert("metadata".into(), metadata);
        (name, Value::Object(object))
    };
    (0..count).map(one).collect()
}

fn object(schemas: &Schemas, of: &str, on_the_way: &mut Vec<String>, dice: &mut Dice) -> Map<String, Value> {
    on_the_way.push(of.into());
    let deep = on_the_way.len() > 3;
    let mut map = Map::new();
    for field in schemas.fields(of) {
        let chance = if matches!(&*field.name, "spec" | "template" | "containers") {
            9
        } else if deep {
            2
        } else {
            4
        };
        let of_whole_pod = of.ends_with(".PodSpec") && field.name == "resources";
        if dice.below(10) >= chance || LEFT_OUT.contains(&&*field.name) || of_whole_pod {
            continue;
        }
        let value = match dice.below(20) {
            0 => Some(Value::Null),
            1 => empty(&field),
            _ => value(schemas, of, &field, &field.shape, on_the_way, dice),
        };
        map.extend(value.map(|value| (field.name, value)));
    }
    on_the_way.pop();
    // Which is refused.
    if map.get("type").is_some_and(|kind| kind != "RollingUpdate") {
        map.remove("rollingUpdate");
    }
    map
}

fn empty(field: &Field) -> Option<Value> {
    Some(match field.shape {
        Shape::Text if field.format.is_empty() => json!(""),
        Shape::Int => json!(0),
        Shape::Bool => json!(false),
        Shape::List(_) => json!([]),
        Shape::Map(_) | Shape::Of(_) => json!({}),
        _ => return None,
    })
}

fn value(
    schemas: &Schemas,
    owner: &str,
    field: &Field,
    shape: &Shape,
    on_the_way: &mut Vec<String>,
    dice: &mut Dice,
) -> Option<Value> {
    Some(match shape {
        Shape::Text => text(owner, field, dice)?,
        Shape::Int | Shape::Number => json!(dice.below(3) + 1),
        Shape::Bool => json!(dice.below(2) == 0),
        Shape::Quantity => amount(dice),
        Shape::IntOrString => [json!(1), json!("50%"), json!("http")][dice.below(3)].clone(),
        Shape::Any => return None,
        Shape::Of(of) if on_the_way.contains(of) => return None,
        Shape::Of(of) => Value::Object(object(schemas, of, on_the_way, dice)),
        Shape::List(item) => {
            let count = dice.below(2) + 1;
            (0..count).map(|_| value(schemas, owner, field, item, on_the_way, dice)).collect::<Option<_>>()?
        }
        Shape::Map(member) => {
            let members = ["cpu", "memory", "other"].into_iter().take(dice.below(3) + 1);
            let members: Option<Map<String, Value>> = members
                .map(|name| Some((name.to_owned(), value(schemas, owner, field, member, on_the_way, dice)?)))
                .collect();
            Value::Object(members?)
        }
    })
}

fn text(owner: &str, field: &Field, dice: &mut Dice) -> Option<Value> {
    if field.format == "date-time" {
        return None;
    }
    let name = format!("{owner}.{}", field.name);
    if let Some((_, values)) = VALUES.iter().find(|(ending, _)| name.ends_with(ending)) {
        return Some(json!(values[dice.below(values.len())]));
    }
    Some(if field.values.is_empty() { json!("abcd") } else { field.values[dice.below(field.values.len())].clone() })
}

fn amount(dice: &mut Dice) -> Value {
    if dice.below(6) == 0 { json!(dice.below(4)) } else { json!(AMOUNTS[dice.below(AMOUNTS.len())]) }
}

/// What is left out of the comparison: what only a cluster gives an object, and two things that its own conversions leave.
const HIDDEN: &[&str] = &[
    "status",
    "resourceVersion",
    "creationTimestamp",
    "deprecated.daemonset.template.generation",
    "ipFamilies",
    "clusterIPs",
];

/// What is compared of an object.
pub(crate) fn seen(object: &Seen) -> Seen {
    fn without_status(value: &Seen) -> Seen {
        match value {
            Seen::Object(map) => map
                .iter()
                .filter(|(name, _)| !HIDDEN.contains(&&***name))
                .map(|(name, value)| (name.clone(), without_status(value)))
                .filter(|(name, value)| {
                    !(&**name == "annotations" && value.as_object().is_some_and(palisade_model::Map::is_empty))
                })
                .collect::<palisade_model::Map>()
                .into(),
            Seen::Array(items) => Seen::array(items.iter().map(without_status).collect::<Vec<_>>()),
            other => other.clone(),
        }
    }
    without_status(object)
}
