//! Variables: expressions that parse and names that can have a value where they stand.

use palisade_model::{Path, Segment, Value, wildcard};

use super::Checked;
use super::expressions::{self, each_text};
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

    /// Checks the variables of a text, innermost first.
    fn check(&self, reader: &mut Reader<'_>, text: &str, path: &Path) {
        let inside_loop = path.0.contains(&Segment::from("foreach"));
        let problem = expressions::first_problem(text, |expression| self.problem(expression, inside_loop));
        if let Some((code, message, help)) = problem {
            reader.error(code, path, message, help);
        }
    }

    fn problem(&self, expression: &str, inside_loop: bool) -> Option<(&'static str, String, &'static str)> {
        if let Some(message) = expressions::problem(expression) {
            return Some((codes::INVALID_VARIABLE, message, "correct the expression"));
        }
        let plain = expression.replace('"', "");
        if plain.starts_with("element") && !inside_loop {
            let message = format!("`{expression}` has a value within foreach only");
            return Some((codes::UNKNOWN_VARIABLE, message, "move it into foreach"));
        }
        let help = "add a context entry of that name, or start from `request`, `element` or `images`";
        (!self.is_known(&plain)).then(|| (codes::UNKNOWN_VARIABLE, format!("nothing defines `{expression}`"), help))
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

/// Whether a word is followed by a parenthesis that something follows.
fn calls_function(expression: &str) -> bool {
    expression.match_indices('(').any(|(at, _)| {
        let before = expression.get(..at).and_then(|text| text.chars().next_back());
        let after = expression.get(at + 1..).and_then(|text| text.chars().next());
        before.is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
            && after.is_some_and(|c| c != '{' && c != '}')
    })
}
