//! Assertions: how many violations, with which messages.

use std::fmt;

use palisade_cel::admission::{Node, Reader};
use palisade_gotext::go_regex;
use palisade_model::{Path, Value};
use palisade_policy::testing::{Mode, TestOutcome};
use regex::Regex;

use super::case::Judged;
use super::fields::known;
use crate::codes;

/// One entry of `assertions`.
#[derive(Debug)]
pub(super) struct Assertion {
    wanted: Wanted,
    message: Option<Regex>,
}

/// How many violations.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Wanted {
    /// At least one, which is also what is meant where nothing is said.
    Some,
    /// None.
    None,
    /// Just so many.
    Exactly(usize),
}

/// How an assertion came out.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) outcome: TestOutcome,
    pub(super) actual: String,
    pub(super) message: String,
}

impl Assertion {
    pub(super) fn read(reader: &mut Reader<'_>, node: &Node<'_>) -> Self {
        known(reader, node, &["violations", "message"]);
        let path = node.path.child("violations");
        // In YAML as Kubernetes reads it, `yes` and `no` are booleans.
        let wanted = match node.get("violations").map(|node| node.value) {
            None | Some(Value::Bool(true)) => Some(Wanted::Some),
            Some(Value::Bool(false)) => Some(Wanted::None),
            Some(Value::String(text)) if &**text == "yes" => Some(Wanted::Some),
            Some(Value::String(text)) if &**text == "no" => Some(Wanted::None),
            Some(value) => value.as_i64().and_then(|count| usize::try_from(count).ok()).map(Wanted::Exactly),
        };
        if wanted.is_none() {
            wrong(reader, &path, "`violations` must be a number, `yes` or `no`".to_owned());
        }
        let message = reader.text(node, "message").and_then(|pattern| {
            let compiled = go_regex::compile(&pattern);
            compiled.map_err(|message| wrong(reader, &node.path.child("message"), message)).ok()
        });
        Self { wanted: wanted.unwrap_or(Wanted::Some), message }
    }

    /// Whether the assertion holds of what was said about an object.
    pub(super) fn check(&self, judged: &Judged, mode: Mode) -> Answer {
        let matching = |message: &&str| self.message.as_ref().is_none_or(|pattern| pattern.is_match(message));
        let count = judged.messages().filter(matching).count();
        let failed = judged.failures.iter().filter(|message| matching(&message.as_str())).count();
        let total = count + failed;
        let holds = match self.wanted {
            Wanted::Some => total > 0,
            Wanted::None => total == 0,
            Wanted::Exactly(wanted) => total == wanted,
        };
        let strict = mode == Mode::Strict;
        let (outcome, message) = match () {
            () if !holds => (TestOutcome::Failed, judged.words()),
            // Upstream counts a failed evaluation as a violation.
            () if strict && !judged.failures.is_empty() => (TestOutcome::Error, judged.failures.join("; ")),
            () if strict && !judged.selected && total == 0 => {
                (TestOutcome::Vacuous, "the constraint does not select the object, so it judges nothing".to_owned())
            }
            () => (TestOutcome::Passed, String::new()),
        };
        Answer { outcome, actual: count_of(total), message }
    }
}

fn wrong(reader: &mut Reader<'_>, path: &Path, message: String) {
    reader.error(codes::INVALID_SUITE, path, message, "correct the assertion");
}

fn count_of(count: usize) -> String {
    match count {
        0 => "no violations".to_owned(),
        1 => "1 violation".to_owned(),
        count => format!("{count} violations"),
    }
}

impl fmt::Display for Assertion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.wanted {
            Wanted::Some => f.write_str("violations")?,
            Wanted::None => f.write_str("no violations")?,
            Wanted::Exactly(count) => f.write_str(&count_of(count))?,
        }
        match &self.message {
            Some(pattern) => write!(f, " matching `{pattern}`"),
            None => Ok(()),
        }
    }
}
