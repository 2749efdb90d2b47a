//! Variables: expressions that parse and names that can have a value where they stand.

use palisade_jmespath::Query;
use palisade_model::{Path, Segment, Value, wildcard};

use super::Checked;
use crate::legacy::codes;
use crate::legacy::spec::{Body, Check, ContextEntry, EntrySource, Reader, Rule};
use crate::legacy::variables::{references_resolve, variables_of};

/// Who asks is not known when existing objects are judged in the background.
pub(super) fn policy(reader: &mut Reader<'_>, policy: &Checked<'_>) {
    let changes_existing = |rule: &Rule| matches!(&rule.body, Body::Mutate(mutation) if !mutation.targets.is_empty());
    if !policy.spec.background || policy.rules.iter().any(|(_, rule)| changes_existing(rule)) {
        return;
    }
    each_text(&policy.document.object, &Path::root(), 0, &mut |text, path| {
        for variable in variables_of(text).iter().filter(|variable| names_user(variable.braces())) {
            let message = format!("`{}` is not known when existing objects are judged", variable.expression());
            reader.error(codes::UNKNOWN_VARIABLE, path, message, "set `spec.background: false`");
        }
    });
}

/// Whether an expression, braces included, looks at who asks.
fn names_user(braces: &str) -> bool {
    const NAMES: [&str; 5] =
        ["serviceAccountName", "serviceAccountNamespace", "request.userInfo", "request.roles", "request.clusterRoles"];
    NAMES.iter().any(|name| {
        braces.match_indices(name).any(|(at, _)| {
            let before = braces.get(..at).and_then(|text| text.chars().next_back());
            let after = braces.get(at + name.len()..).and_then(|text| text.chars().next());
            before.is_some_and(|c| c != '.') && after.is_none_or(|c| !(c.is_ascii_alphanumeric() || c == '_'))
        })
    })
}

pub(super) fn rule(reader: &mut Reader<'_>, policy: &Checked<'_>, rule: &Rule, written: &Value, path: &Path) {
    for key in ["match", "exclude"] {
        let Some(block) = written.get(key) else { continue };
        each_text(block, &path.child(key), 0, &mut |text, path| {
            if !variables_of(text).is_empty() {
                let message = format!("`{key}` cannot hold variables");
                reader.error(codes::INVALID_VARIABLE, path, message, "use preconditions");
            }
        });
    }
    if let Err(error) = references_resolve(written) {
        reader.error(codes::INVALID_VARIABLE, path, error.to_string(), "correct the reference");
    }
    let known = Known::of(policy, rule);
    let mut checked = written.clone();
    if let Some(map) = checked.as_object_mut() {
        // Conditions of attestations name what the attestation holds.
        map.retain(|key, _| &**key != "verifyImages");
    }
    each_text(&checked, path, 0, &mut |text, path| known.check(reader, text, path));
    if let (Body::Mutate(mutation), true) = (&rule.body, known.targets) {
        let early = Known { targets: false, ..Known::of(policy, rule) };
        before_targets(reader, &early, &checked, mutation.targets.len(), path);
    }
}

/// `target` has no value yet where targets are looked for.
fn before_targets(reader: &mut Reader<'_>, known: &Known, written: &Value, targets: usize, path: &Path) {
    let selecting = (0..targets).flat_map(|index| {
        let target = Path(vec![Segment::from("mutate"), Segment::from("targets"), Segment::Index(index)]);
        ["apiVersion", "kind", "namespace", "name"].map(|key| target.child(key))
    });
    let early = ["context", "preconditions"].map(|key| Path(vec![Segment::from(key)]));
    for part in early.into_iter().chain(selecting) {
        let Some(value) = part.resolve(written) else { continue };
        let place = Path(path.0.iter().chain(&part.0).cloned().collect());
        each_text(value, &place, 0, &mut |text, path| known.check(reader, text, path));
    }
}

/// The names that variables of a rule may use.
struct Known {
    background: bool,
    targets: bool,
    patterns: Vec<String>,
}

impl Known {
    fn of(policy: &Checked<'_>, rule: &Rule) -> Self {
        let mut entries: Vec<&ContextEntry> = rule.context.iter().collect();
        let mut targets = false;
        match &rule.body {
            Body::Validate(validation) => {
                if let Check::ForEach(loops) = &validation.check {
                    entries.extend(loops.iter().flat_map(|item| &item.context));
                }
            }
            Body::Mutate(mutation) => {
                entries.extend(mutation.foreach.iter().flat_map(|item| &item.context));
                entries.extend(mutation.targets.iter().flat_map(|target| &target.context));
                targets = !mutation.targets.is_empty();
            }
            Body::Generate(generation) => entries.extend(generation.foreach.iter().flat_map(|item| &item.context)),
            Body::VerifyImages(_) => {}
        }
        let patterns = |entry: &&ContextEntry| match entry.source {
            EntrySource::ConfigMap { .. } => {
                ["data", "metadata", "data.*", "metadata.*"].map(|part| format!("{}.{part}", entry.name)).to_vec()
            }
            _ => vec![format!("{}*", entry.name)],
        };
        let patterns = entries.iter().flat_map(patterns).collect();
        Self { background: policy.spec.background, targets, patterns }
    }

    /// Checks the variables of a text, innermost first, as if each had the value `null`.
    fn check(&self, reader: &mut Reader<'_>, text: &str, path: &Path) {
        let mut current = text.to_owned();
        for _ in 0..MAX_ROUNDS {
            let variables = variables_of(&current);
            let Some(variable) = variables.first() else { return };
            let expression = variable.expression();
            if expression != "@" && !self.check_one(reader, &expression, path) {
                return;
            }
            let to = format!("{}null", variable.prefix());
            current = current.replacen(variable.with_prefix(), &to, 1);
        }
    }

    fn check_one(&self, reader: &mut Reader<'_>, expression: &str, path: &Path) -> bool {
        if let Err(error) = Query::parse(expression) {
            let message = format!("`{expression}` is no JMESPath expression: {error}");
            reader.error(codes::INVALID_VARIABLE, path, message, "correct the expression");
            return false;
        }
        let plain = expression.replace('"', "");
        let inside_loop = path.0.contains(&Segment::from("foreach"));
        let names_element = plain.starts_with("element");
        if names_element && !inside_loop {
            let message = format!("`{expression}` has a value within foreach only");
            reader.error(codes::UNKNOWN_VARIABLE, path, message, "move it into foreach");
            return false;
        }
        if !self.is_known(&plain) {
            let message = format!("nothing defines `{expression}`");
            let help = "add a context entry of that name, or start from `request`, `element` or `images`";
            reader.error(codes::UNKNOWN_VARIABLE, path, message, help);
            return false;
        }
        true
    }

    /// As loose as Kyverno: a known word anywhere will do, and so will any function call.
    fn is_known(&self, expression: &str) -> bool {
        let words: &[&str] = if self.background && self.targets {
            &["request.", "element", "@", "images", "image.", "target."]
        } else if self.background {
            &["request.", "element", "@", "images", "image."]
        } else if self.targets {
            &[
                "request.",
                "serviceAccountName",
                "serviceAccountNamespace",
                "element",
                "@",
                "images",
                "image.",
                "target.",
            ]
        } else {
            &["request", "serviceAccountName", "serviceAccountNamespace", "element", "@", "image"]
        };
        words.iter().any(|word| expression.contains(word))
            || calls_function(expression)
            || self.patterns.iter().any(|pattern| wildcard::matches(pattern, expression))
    }
}

/// How many variables of one text are looked at.
const MAX_ROUNDS: usize = 1_000;

/// Whether a word is followed by a parenthesis that something follows.
fn calls_function(expression: &str) -> bool {
    expression.match_indices('(').any(|(at, _)| {
        let before = expression.get(..at).and_then(|text| text.chars().next_back());
        let after = expression.get(at + 1..).and_then(|text| text.chars().next());
        before.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && after.is_some_and(|c| c != '{' && c != '}')
    })
}

/// Calls `visit` with every text of a document, keys included, and its place.
fn each_text(value: &Value, path: &Path, depth: usize, visit: &mut dyn FnMut(&str, &Path)) {
    if depth > MAX_DEPTH {
        return;
    }
    match value {
        Value::String(text) => visit(text, path),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                each_text(item, &path.child(Segment::Index(index)), depth + 1, visit);
            }
        }
        Value::Object(map) => {
            for (key, item) in map.iter() {
                let path = path.child(&**key);
                visit(key, &path);
                each_text(item, &path, depth + 1, visit);
            }
        }
        _ => {}
    }
}

const MAX_DEPTH: usize = 256;
