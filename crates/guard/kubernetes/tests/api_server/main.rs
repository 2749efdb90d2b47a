//! The table of defaults and what is made of it, against an API server: one that runs, and what one has answered.
//!
//! `PALISADE_BLESS=1` (`cargo x defaults`) writes the table and the answers anew.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test that cannot go on has failed"
)]
#![allow(clippy::disallowed_methods, clippy::format_push_string, reason = "a test reads and writes what it compares")]

mod objects;
mod openapi;
mod probing;

use std::fs;
use std::path::PathBuf;

use palisade_kubernetes::admitted;
use palisade_model::quantity::Quantity;
use palisade_model::{Map, Value};
use palisade_testkit::Cluster;

use crate::openapi::Schemas;

/// How many objects of each kind are made up and compared; the first of them are recorded.
const MADE_UP: usize = 60;
const RECORDED: usize = 4;

const RULE: &str = "# What a kube-apiserver makes of objects, asked and written down by `cargo x defaults`; src/table.rs \
                    says how to read it.\n# Version:";

fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn blesses() -> bool {
    std::env::var_os("PALISADE_BLESS").is_some()
}

#[test]
fn the_table_is_what_an_api_server_says() {
    let Ok(cluster) = Cluster::start() else { return };
    let version = cluster.kubectl(&["get", "--raw", "/version"], "").json();
    let version = version["gitVersion"].as_str().unwrap().to_owned();
    let schemas = Schemas::of(&cluster);
    let table = format!("{RULE} {version}\n{}", probing::table(&cluster, &schemas));
    let path = file("data/1.35.txt");
    if blesses() {
        fs::write(&path, &table).unwrap();
    }
    assert!(fs::read_to_string(&path).unwrap() == table, "`cargo x defaults` writes {} anew", path.display());
}

#[test]
fn objects_come_out_as_an_api_server_returns_them() {
    let Ok(cluster) = Cluster::start() else { return };
    let schemas = Schemas::of(&cluster);
    let mut recorded = String::new();
    let mut differences = Vec::new();
    for kind in &schemas.kinds {
        let sent = objects::of(&schemas, kind, MADE_UP);
        for (name, object) in &sent {
            cluster.plant(&format!("{}{name}", kind.key), object);
        }
        let answers = probing::answers(&cluster, kind);
        for (at, (name, object)) in sent.iter().enumerate() {
            let (sent, seen) = (Value::from(object.clone()), objects::seen(&Value::from(answers[name].clone())));
            if at < RECORDED {
                recorded.push_str(&format!("{sent}\n{seen}\n"));
            }
            differences.extend(difference(&sent, &seen).map(|why| format!("{why}\n  {sent}\n  {seen}")));
        }
    }
    let path = file("tests/api_server/answers.txt");
    if blesses() {
        fs::write(&path, recorded).unwrap();
    }
    let shown: Vec<&String> = differences.iter().take(20).collect();
    assert!(differences.is_empty(), "{} differences: {shown:#?}", differences.len());
}

#[test]
fn objects_come_out_as_an_api_server_has_returned_them() {
    let text = fs::read_to_string(file("tests/api_server/answers.txt")).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| Value::from_json(line).unwrap()).collect();
    assert!(lines.len() > 200, "{}", lines.len());
    for pair in lines.chunks(2) {
        let [sent, seen] = pair else { panic!("an object without an answer") };
        assert_eq!(difference(sent, seen), None, "{sent}\n{seen}");
        // Whoever asks again hears nothing new.
        let once = admitted(sent).unwrap_or_else(|| sent.clone());
        assert_eq!(admitted(&once), None, "{sent}");
    }
}

/// The first place where what becomes of `sent` is not what the API server has `seen`.
fn difference(sent: &Value, seen: &Value) -> Option<String> {
    let ours = objects::seen(&admitted(sent).unwrap_or_else(|| sent.clone()));
    compare(&ours, seen, &mut String::new())
}

fn compare(ours: &Value, theirs: &Value, path: &mut String) -> Option<String> {
    let empty = Map::new();
    match (ours, theirs) {
        (Value::Object(a), Value::Object(b)) => {
            let only = b.iter().filter(|(name, _)| !a.contains_key(name));
            a.iter().map(|(name, value)| (name, Some(value))).chain(only.map(|(name, _)| (name, None))).find_map(
                |(name, value)| {
                    let length = path.len();
                    path.push_str(&format!(".{name}"));
                    let found = match (value, b.get(name)) {
                        (Some(value), Some(other)) => compare(value, other, path),
                        (None, Some(other)) if is_zero(other) || probing::MAIN_PARTS.contains(&&**name) => None,
                        // An object that is always there and holds nothing but zeros of fields that must be written.
                        (None, Some(other @ Value::Object(_))) => compare(&empty.clone().into(), other, path)
                            .or_else(|| Some(format!("{path}: missing {other}"))),
                        (value, other) => Some(format!("{path}: {value:?}, not {other:?}")),
                    };
                    path.truncate(length);
                    found
                },
            )
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b.iter()).enumerate().find_map(|(at, (a, b))| {
                let length = path.len();
                path.push_str(&format!("[{at}]"));
                let found = compare(a, b, path);
                path.truncate(length);
                found
            })
        }
        _ if ours == theirs || is_same_amount(ours, theirs) => None,
        _ => Some(format!("{path}: {ours}, not {theirs}")),
    }
}

/// Amounts stay as they are written, which the API server changes.
fn is_same_amount(ours: &Value, theirs: &Value) -> bool {
    let amount = |value: &Value| Quantity::parse(value.as_str()?).ok();
    amount(ours).is_some_and(|ours| amount(theirs).is_some_and(|theirs| ours == theirs))
}

/// What Go writes for a field that must be there and was not.
fn is_zero(value: &Value) -> bool {
    matches!(value, Value::Null | Value::Bool(false) | Value::Int(0)) || value.as_str() == Some("")
}
