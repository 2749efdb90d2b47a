//! Asks an API server what it makes of each type wherever it stands, and writes that down as the table.
//!
//! What is written into its database behind its back it decodes, completes and returns, and validates nothing. So each type is
//! tried alone in three ways: empty, which shows its defaults; with every field empty, which shows what counts as absent; and
//! with all fields but one, which shows whether that one's default depends on others.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

use palisade_testkit::Cluster;
use serde_json::{Map, Value, json};

use crate::openapi::{Field, Kind, Schemas, Shape};

/// One step towards a type.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    Key(String),
    Item,
    Member,
}

/// A type where it stands.
struct Node {
    path: Vec<Step>,
    of: String,
    fields: Vec<(Field, Option<usize>)>,
    /// What the API server makes of it when it is empty.
    made: Value,
    /// What it makes of empty values.
    emptied: Value,
    /// Fields whose default depends on others.
    conditional: BTreeSet<String>,
}

/// The table, as text.
pub(crate) fn table(cluster: &Cluster, schemas: &Schemas) -> String {
    let mut types = Types::default();
    let mut kinds = String::new();
    let metadata = metadata(cluster, schemas);
    for kind in &schemas.kinds {
        let mut nodes = Vec::new();
        walk(schemas, &kind.of, &[], &mut Vec::new(), &mut nodes);
        probe(cluster, kind, &mut nodes);
        for node in nodes.iter_mut().filter(|node| node.path == [Step::Key("metadata".into())]) {
            (node.made, node.emptied) = (json!({}), metadata.clone());
            node.conditional.clear();
        }
        let name = types.add(&nodes, 0);
        writeln!(kinds, "kind {} {} {name}", kind.api_version, kind.kind).unwrap();
    }
    format!("{kinds}{}", types.text)
}

/// What becomes of empty metadata, which only a template can have: an object needs its name.
fn metadata(cluster: &Cluster, schemas: &Schemas) -> Value {
    let kind = schemas.kinds.iter().find(|kind| kind.kind == "PodTemplate").unwrap();
    let mut nodes = Vec::new();
    walk(schemas, &kind.of, &[], &mut Vec::new(), &mut nodes);
    nodes.retain(|node| node.path.is_empty() || node.path.ends_with(&[Step::Key("metadata".into())]));
    probe(cluster, kind, &mut nodes);
    let in_template = |node: &&Node| node.path.len() == 2;
    nodes.iter().find(in_template).unwrap().emptied.clone()
}

fn walk(schemas: &Schemas, of: &str, path: &[Step], on_the_way: &mut Vec<String>, nodes: &mut Vec<Node>) -> usize {
    let at = nodes.len();
    nodes.push(Node {
        path: path.to_vec(),
        of: of.into(),
        fields: Vec::new(),
        made: Value::Null,
        emptied: Value::Null,
        conditional: BTreeSet::new(),
    });
    on_the_way.push(of.into());
    let mut fields = Vec::new();
    for mut field in schemas.fields(of) {
        let mut child = None;
        if path.is_empty() && field.name == "status" {
            field.shape = Shape::Any;
        }
        if let Some((steps, inner)) = inside(&field.shape) {
            if on_the_way.contains(&inner) {
                field.shape = Shape::Any;
            } else {
                let path = path.iter().cloned().chain([Step::Key(field.name.clone())]).chain(steps).collect::<Vec<_>>();
                child = Some(walk(schemas, &inner, &path, on_the_way, nodes));
            }
        }
        fields.push((field, child));
    }
    on_the_way.pop();
    nodes[at].fields = fields;
    at
}

/// The type within a shape, and the steps to it.
fn inside(shape: &Shape) -> Option<(Vec<Step>, String)> {
    let behind = |step: Step, shape: &Shape| {
        let (steps, of) = inside(shape)?;
        Some(([vec![step], steps].concat(), of))
    };
    match shape {
        Shape::Of(of) => Some((Vec::new(), of.clone())),
        Shape::List(item) => behind(Step::Item, item),
        Shape::Map(member) => behind(Step::Member, member),
        _ => None,
    }
}

fn probe(cluster: &Cluster, kind: &Kind, nodes: &mut [Node]) {
    for (at, node) in nodes.iter().enumerate() {
        plant(cluster, kind, &format!("p{at}-made"), &node.path, json!({}));
        let empty = node.fields.iter().filter(|(field, _)| !(node.path.is_empty() && field.name == "metadata"));
        let empty: Map<String, Value> =
            empty.filter_map(|(field, _)| Some((field.name.clone(), nothing(field)?))).collect();
        plant(cluster, kind, &format!("p{at}-emptied"), &node.path, empty.into());
    }
    let answers = answers(cluster, kind);
    for (at, node) in nodes.iter_mut().enumerate() {
        let answer = |name: &str| follow(&answers[&format!("p{at}-{name}")], &node.path).cloned().unwrap_or_default();
        (node.made, node.emptied) = (answer("made"), answer("emptied"));
        for name in defaults(node) {
            let others = node.fields.iter().filter(|(field, _)| field.name != name && field.name != "metadata");
            let others: Map<String, Value> =
                others.filter_map(|(field, _)| Some((field.name.clone(), something(field)?))).collect();
            plant(cluster, kind, &format!("p{at}-without-{}", name.to_lowercase()), &node.path, others.into());
        }
    }
    let answers = self::answers(cluster, kind);
    for (at, node) in nodes.iter_mut().enumerate() {
        for name in defaults(node) {
            let answer = &answers[&format!("p{at}-without-{}", name.to_lowercase())];
            let same = follow(answer, &node.path).and_then(|made| made.get(&name)) == node.made.get(&name);
            if !same {
                node.conditional.insert(name);
            }
        }
    }
}

fn defaults(node: &Node) -> Vec<String> {
    let hidden = ["apiVersion", "kind", "metadata", "status"];
    let keys = node.made.as_object().into_iter().flat_map(Map::keys);
    keys.filter(|key| !(node.path.is_empty() && hidden.contains(&&***key))).cloned().collect()
}

/// Writes an object with `leaf` at `path` into the database.
fn plant(cluster: &Cluster, kind: &Kind, name: &str, path: &[Step], leaf: Value) {
    let around = |inner: Value, step: &Step| match step {
        Step::Key(key) => json!({ key: inner }),
        Step::Item => json!([inner]),
        Step::Member => json!({ "member": inner }),
    };
    let mut object = path.iter().rev().fold(leaf, around);
    object["apiVersion"] = json!(kind.api_version);
    object["kind"] = json!(kind.kind);
    object["metadata"]["name"] = json!(name);
    if kind.key.ends_with("/probe/") {
        object["metadata"]["namespace"] = json!("probe");
    }
    cluster.plant(&format!("{}{name}", kind.key), &object);
}

/// All objects of a kind by name.
pub(crate) fn answers(cluster: &Cluster, kind: &Kind) -> HashMap<String, Value> {
    let list = cluster.kubectl(&["get", "--raw", &kind.path], "").json();
    // The items of a list leave out what kind they are.
    let named = |item: &Value| {
        let mut object = item.clone();
        object["apiVersion"] = json!(kind.api_version);
        object["kind"] = json!(kind.kind);
        (item["metadata"]["name"].as_str().unwrap().to_owned(), object)
    };
    list["items"].as_array().unwrap().iter().map(named).collect()
}

fn follow<'a>(value: &'a Value, path: &[Step]) -> Option<&'a Value> {
    path.iter().try_fold(value, |value, step| match step {
        Step::Key(key) => value.get(key),
        Step::Item => value.get(0),
        Step::Member => value.get("member"),
    })
}

/// The empty value of a field, where it has one.
fn nothing(field: &Field) -> Option<Value> {
    match field.shape {
        Shape::Text if field.format != "date-time" => Some(json!("")),
        Shape::Int | Shape::Number => Some(json!(0)),
        Shape::Bool => Some(json!(false)),
        Shape::List(_) => Some(json!([])),
        Shape::Map(_) => Some(json!({})),
        _ => None,
    }
}

/// Some value of a field.
fn something(field: &Field) -> Option<Value> {
    fn of(shape: &Shape, field: &Field) -> Option<Value> {
        Some(match shape {
            Shape::Text if field.format == "date-time" => return None,
            // None of the values that it may have, so that what depends on one of them is not there.
            Shape::Text => json!("abcd"),
            Shape::Int | Shape::Number | Shape::IntOrString => json!(1),
            Shape::Bool => json!(true),
            Shape::Quantity => json!("1"),
            Shape::Any => return None,
            Shape::Of(_) => json!({}),
            Shape::List(item) => json!([of(item, field)?]),
            Shape::Map(member) => json!({"member": of(member, field)?}),
        })
    }
    of(&field.shape, field)
}

/// Types that were written down, each once.
#[derive(Default)]
struct Types {
    text: String,
    known: HashMap<(String, String), String>,
    uses: BTreeMap<String, usize>,
}

impl Types {
    /// Writes down the type of a node, what it is made of first; its name.
    fn add(&mut self, nodes: &[Node], at: usize) -> String {
        let node = &nodes[at];
        let mut lines = String::new();
        for (field, child) in &node.fields {
            let inner = child.map(|child| self.add(nodes, child));
            let word = word(&field.shape, inner.as_deref());
            write!(lines, " {} {word}", field.name).unwrap();
            let marks: String = [
                (field.required, '!'),
                (counts_as_absent(node, field), '0'),
                (node.conditional.contains(&field.name), '?'),
            ]
            .into_iter()
            .filter_map(|(holds, mark)| holds.then_some(mark))
            .collect();
            if !marks.is_empty() {
                write!(lines, " {marks}").unwrap();
            }
            let is_ours = !node.path.is_empty() || !["apiVersion", "kind", "metadata"].contains(&&*field.name);
            let made = node.made.get(&field.name).filter(|_| is_ours);
            if let Some(value) = made.and_then(|made| default(nodes, field, *child, made)) {
                write!(lines, " ={value}").unwrap();
            }
            lines.push('\n');
        }
        let short = node.of.rsplit('.').next().unwrap().to_owned();
        if let Some(name) = self.known.get(&(short.clone(), lines.clone())) {
            return name.clone();
        }
        let uses = self.uses.entry(short.clone()).or_default();
        *uses += 1;
        let name = if *uses == 1 { short.clone() } else { format!("{short}~{uses}") };
        write!(self.text, "{name}\n{lines}").unwrap();
        self.known.insert((short, lines), name.clone());
        name
    }
}

fn word(shape: &Shape, inner: Option<&str>) -> String {
    match shape {
        Shape::Text => "string".into(),
        Shape::Int => "int".into(),
        Shape::Number => "number".into(),
        Shape::Bool => "bool".into(),
        Shape::Quantity => "quantity".into(),
        Shape::IntOrString => "int-or-string".into(),
        Shape::Any => "any".into(),
        Shape::Of(_) => inner.unwrap().into(),
        Shape::List(item) => format!("[{}]", word(item, inner)),
        Shape::Map(member) => format!("{{{}}}", word(member, inner)),
    }
}

fn counts_as_absent(node: &Node, field: &Field) -> bool {
    nothing(field).is_some_and(|nothing| node.emptied.is_object() && node.emptied.get(&field.name) != Some(&nothing))
}

/// What is not filled in where it is missing: an object without it is refused, or it is a patch of another one.
pub(crate) const MAIN_PARTS: &[&str] = &["spec", "template"];

/// What is filled in of what the API server made: not the zeros of fields that have to be written, nor `status`.
fn default(nodes: &[Node], field: &Field, child: Option<usize>, made: &Value) -> Option<Value> {
    let is_zero = |value: &Value| *value == json!("") || *value == json!(0) || *value == json!(false);
    let is_left_out = field.name == "status" || MAIN_PARTS.contains(&&*field.name);
    if made.is_null() || is_left_out || (is_zero(made) && (field.required || is_zero(&field.published))) {
        return None;
    }
    let (Some(child), Some(members), Shape::Of(_)) = (child, made.as_object(), &field.shape) else {
        return Some(made.clone());
    };
    let fields = &nodes[child].fields;
    let kept = fields.iter().filter_map(|(field, child)| {
        Some((field.name.clone(), default(nodes, field, *child, members.get(&field.name)?)?))
    });
    Some(Value::Object(kept.collect()))
}
