//! `matchImageReferences`: which images a policy is about, by glob or by expression.

use palisade_cel::Type;
use palisade_cel::admission::{Compiler, Evaluation, Expression, Node, codes};
use regex::{Regex, escape};

/// One entry of `matchImageReferences`.
#[derive(Debug)]
pub(super) enum ImagePattern {
    Glob(Regex),
    Expression(Expression),
}

/// The variable that an expression finds the image in.
const REFERENCE: &str = "ref";

impl ImagePattern {
    /// Reads and compiles the entries.
    pub(super) fn compile(compiler: &mut Compiler<'_, '_>, spec: &Node<'_>) -> Vec<Self> {
        compiler.declare(REFERENCE, Type::String);
        let nodes = compiler.reader.list(spec, "matchImageReferences");
        nodes.iter().filter_map(|node| Self::compile_one(compiler, node)).collect()
    }

    fn compile_one(compiler: &mut Compiler<'_, '_>, node: &Node<'_>) -> Option<Self> {
        match compiler.reader.text(node, "glob").filter(|glob| !glob.is_empty()) {
            Some(glob) => {
                let regex = Regex::new(&glob_to_regex(&glob)).ok();
                if regex.is_none() {
                    let (path, help) = (node.path.child("glob"), "use `*`, `?`, `[a-z]` and `{a,b}`");
                    compiler.reader.error(codes::UNKNOWN_NAME, &path, format!("`{glob}` is not a glob"), help);
                }
                regex.map(Self::Glob)
            }
            None => compiler.required(node, "expression", &[Type::Bool]).map(Self::Expression),
        }
    }

    /// Whether one of the patterns, or none at all, lets the image through.
    pub(super) fn any_matches(patterns: &[Self], image: &str, evaluation: &Evaluation<'_>) -> Result<bool, String> {
        if patterns.is_empty() {
            return Ok(true);
        }
        for pattern in patterns {
            let matches = match pattern {
                Self::Glob(regex) => regex.is_match(image),
                Self::Expression(expression) => {
                    let evaluation = evaluation.again().with(REFERENCE, image);
                    expression.decide(&evaluation).map_err(|failure| failure.to_string())?
                }
            };
            if matches {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

/// `*` and `**` stand for any text, `?` for any character, `[...]` for a class, `{a,b}` for alternatives.
fn glob_to_regex(glob: &str) -> String {
    let mut regex = String::from("^(?s:");
    let mut characters = glob.chars().peekable();
    let mut braces = 0_usize;
    while let Some(character) = characters.next() {
        match character {
            '*' => {
                while characters.next_if_eq(&'*').is_some() {}
                regex.push_str(".*");
            }
            '?' => regex.push('.'),
            '[' => {
                regex.push('[');
                if characters.next_if_eq(&'!').is_some() {
                    regex.push('^');
                }
                for character in characters.by_ref() {
                    match character {
                        ']' => break,
                        '-' => regex.push('-'),
                        other => regex.push_str(&escape(other.encode_utf8(&mut [0; 4]))),
                    }
                }
                regex.push(']');
            }
            '{' => {
                braces += 1;
                regex.push_str("(?:");
            }
            '}' if braces > 0 => {
                braces -= 1;
                regex.push(')');
            }
            ',' if braces > 0 => regex.push('|'),
            '\\' => {
                if let Some(next) = characters.next() {
                    regex.push_str(&escape(next.encode_utf8(&mut [0; 4])));
                }
            }
            other => regex.push_str(&escape(other.encode_utf8(&mut [0; 4]))),
        }
    }
    regex.push_str(")$");
    regex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_match_whole_references() {
        let matches = |glob: &str, image: &str| Regex::new(&glob_to_regex(glob)).unwrap().is_match(image);
        assert!(matches("ghcr.io/*", "ghcr.io/kyverno/kyverno:v1"));
        assert!(!matches("ghcr.io/*", "quay.io/ghcr.io/x"));
        assert!(matches("*/{nginx,redis}:[0-9]*", "docker.io/redis:7.2"));
        assert!(!matches("*/{nginx,redis}:[!0-9]*", "docker.io/redis:7.2"));
        assert!(matches("a.b?", "a.bc") && !matches("a.b?", "axbc"));
    }
}
