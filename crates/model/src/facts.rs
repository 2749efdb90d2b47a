//! Facts of a finding, from what a policy says in a structure of its own.
//!
//! Reports show facts as names with texts, so members of members get names of their own: `details.image.tag`,
//! `details.ports[0]`. Deliberately absent: which members of an answer are facts, which each engine knows.

use crate::value::{Str, Value};

/// What has more parts than this is one fact, as JSON.
const MAX_FACTS: usize = 64;

/// The facts of a member: one for each text, number and boolean in it.
pub fn of(name: &str, value: &Value) -> Vec<(Str, Str)> {
    let mut found = Vec::new();
    if gather(name.to_owned(), value, &mut found) { found } else { vec![(name.into(), value.to_json().into())] }
}

/// Whether there are few enough.
fn gather(name: String, value: &Value, found: &mut Vec<(Str, Str)>) -> bool {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().all(|(key, member)| gather(format!("{name}.{key}"), member, found))
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().all(|(index, item)| gather(format!("{name}[{index}]"), item, found))
        }
        Value::String(text) => push(name, text.clone(), found),
        other => push(name, other.to_json().into(), found),
    }
}

fn push(name: String, text: Str, found: &mut Vec<(Str, Str)>) -> bool {
    found.push((name.into(), text));
    found.len() <= MAX_FACTS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(json: &str) -> Vec<String> {
        let value = Value::from_json(json).unwrap();
        of("details", &value).iter().map(|(name, text)| format!("{name}={text}")).collect()
    }

    #[test]
    fn members_of_members_have_names_of_their_own() {
        assert_eq!(shown("\"a\""), ["details=a"]);
        assert_eq!(shown("{}"), ["details={}"]);
        assert_eq!(
            shown(r#"{"vm": {"name": "a", "cpus": 2}, "ports": [80, "x"], "none": null}"#),
            [
                "details.vm.name=a",
                "details.vm.cpus=2",
                "details.ports[0]=80",
                "details.ports[1]=x",
                "details.none=null"
            ]
        );
    }

    #[test]
    fn what_is_long_stays_together_and_whole() {
        let long = format!("[{}]", vec!["1"; MAX_FACTS + 1].join(","));
        assert_eq!(shown(&long), [format!("details={long}")]);
    }
}
