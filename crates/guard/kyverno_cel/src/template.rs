//! `generate[].template`: objects written as YAML, with `(( expression ))` in the place of values.
//!
//! A scalar that is one placeholder becomes whatever the expression computes; a placeholder within longer text must
//! compute a scalar. `\((` stands for a literal `((`. Keys are never placeholders.

use palisade_cel::Val;
use palisade_cel::admission::{Compiler, Evaluation, Expression, Node, codes};
use palisade_document::{Limits, parse_yaml};
use palisade_model::{Map, Path, Source, Str, Value};

/// A compiled template: one part per document.
#[derive(Debug)]
pub(super) struct Template(Vec<Part>);

/// A piece of a document.
#[derive(Debug)]
enum Part {
    /// As written.
    Fixed(Value),
    /// Whatever the expression computes.
    Splice(Expression),
    /// Text around expressions.
    Text(Vec<Piece>),
    Object(Vec<(Str, Part)>),
    List(Vec<Part>),
}

#[derive(Debug)]
enum Piece {
    Fixed(String),
    Computed(Expression),
}

/// The deepest nesting of a document.
const MAX_DEPTH: usize = 128;

impl Template {
    /// Reads and compiles `template` of an entry of `generate`.
    pub(super) fn compile(compiler: &mut Compiler<'_, '_>, entry: &Node<'_>) -> Option<Self> {
        let node = compiler.reader.object(entry, "template")?;
        let text = compiler.reader.required_text(&node, "value")?;
        let modes = [("none", false), ("cel", true)];
        let interpolate = compiler.reader.word(&node, "interpolate", &modes)?;
        let path = node.path.child("value");
        let parsed = parse_yaml(Source::new(path.to_string(), text), &Limits::default());
        if let Some(diagnostic) = parsed.diagnostics.first() {
            let message = format!("the template is not YAML: {}", diagnostic.message);
            compiler.reader.error(codes::WRONG_TYPE, &path, message, "write it as the YAML of one or more objects");
            return None;
        }
        let mut parts = Vec::new();
        for document in parsed.documents.iter().filter(|document| !document.value.is_null()) {
            let mut parser = Parser { compiler, path: &path, interpolate };
            let part = parser.part(&document.value, 0)?;
            if !part.may_be_object() {
                let message = "every document of the template must be an object";
                compiler.reader.error(codes::WRONG_TYPE, &path, message, "describe one Kubernetes object per document");
                return None;
            }
            parts.push(part);
        }
        if parts.is_empty() {
            compiler.reader.error(codes::MISSING_FIELD, &path, "the template has no document", "describe an object");
            return None;
        }
        Some(Self(parts))
    }

    /// The objects, in order.
    pub(super) fn render(&self, evaluation: &Evaluation<'_>) -> Result<Vec<Value>, String> {
        let render = |(index, part): (usize, &Part)| match part.render(evaluation)? {
            object @ Value::Object(_) => Ok(object),
            other => Err(format!("document {} of the template is not an object: {other}", index + 1)),
        };
        self.0.iter().enumerate().map(render).collect()
    }
}

impl Part {
    fn may_be_object(&self) -> bool {
        matches!(self, Self::Object(_) | Self::Splice(_) | Self::Fixed(Value::Object(_)))
    }

    fn render(&self, evaluation: &Evaluation<'_>) -> Result<Value, String> {
        match self {
            Self::Fixed(value) => Ok(value.clone()),
            Self::Splice(expression) => {
                compute(expression, evaluation)?.to_value().map_err(|error| expression.failure(error).to_string())
            }
            Self::Text(pieces) => {
                let pieces = pieces.iter().map(|piece| piece.render(evaluation));
                Ok(Value::from(pieces.collect::<Result<String, String>>()?))
            }
            Self::Object(members) => {
                let mut map = Map::with_capacity(members.len());
                for (key, part) in members {
                    map.insert(key.clone(), part.render(evaluation)?);
                }
                Ok(Value::object(map))
            }
            Self::List(parts) => {
                Ok(Value::array(parts.iter().map(|part| part.render(evaluation)).collect::<Result<Vec<_>, _>>()?))
            }
        }
    }
}

impl Piece {
    fn render(&self, evaluation: &Evaluation<'_>) -> Result<String, String> {
        let expression = match self {
            Self::Fixed(text) => return Ok(text.clone()),
            Self::Computed(expression) => expression,
        };
        match compute(expression, evaluation)? {
            Val::String(text) => Ok(text.to_string()),
            value @ (Val::Bool(_) | Val::Int(_) | Val::UInt(_) | Val::Double(_)) => {
                value.to_value().map(|value| value.to_json()).map_err(|error| expression.failure(error).to_string())
            }
            other => Err(format!(
                "placeholder `{}` within text must be text, a number or a boolean, not {}",
                expression.source(),
                other.type_name()
            )),
        }
    }
}

fn compute(expression: &Expression, evaluation: &Evaluation<'_>) -> Result<Val, String> {
    expression.evaluate(evaluation).map_err(|failure| failure.to_string())
}

struct Parser<'p, 'r, 'd> {
    compiler: &'p mut Compiler<'r, 'd>,
    path: &'p Path,
    interpolate: bool,
}

impl Parser<'_, '_, '_> {
    fn part(&mut self, value: &Value, depth: usize) -> Option<Part> {
        if !self.interpolate || depth > MAX_DEPTH || !has_markers(value, depth) {
            return Some(Part::Fixed(value.clone()));
        }
        match value {
            Value::Object(map) => {
                let mut members = Vec::with_capacity(map.len());
                for (key, value) in map.iter() {
                    if scan(key).is_ok_and(|spans| spans.iter().any(|span| matches!(span, Span::Expression(_)))) {
                        let help = "compute the parent field as a whole, such as `labels: (( variables.labels ))`";
                        self.error(format!("key `{key}` is a placeholder"), help);
                        return None;
                    }
                    members.push((key.clone(), self.part(value, depth + 1)?));
                }
                Some(Part::Object(members))
            }
            Value::Array(items) => {
                items.iter().map(|item| self.part(item, depth + 1)).collect::<Option<Vec<_>>>().map(Part::List)
            }
            Value::String(text) => self.text(text),
            other => Some(Part::Fixed(other.clone())),
        }
    }

    fn text(&mut self, text: &str) -> Option<Part> {
        let spans = match scan(text) {
            Ok(spans) => spans,
            Err(why) => {
                self.error(
                    format!("`{text}`: {why}"),
                    "close every `((` with `))`, or write `\\((` for two parentheses",
                );
                return None;
            }
        };
        if let [Span::Expression(expression)] = spans.as_slice() {
            return self.compiler.compile(expression, self.path, &[]).map(Part::Splice);
        }
        let piece = |span| match span {
            Span::Fixed(text) => Some(Piece::Fixed(text)),
            Span::Expression(text) => self.compiler.compile(text, self.path, &[]).map(Piece::Computed),
        };
        spans.into_iter().map(piece).collect::<Option<Vec<_>>>().map(Part::Text)
    }

    fn error(&mut self, message: String, help: &str) {
        self.compiler.reader.error(codes::INVALID_EXPRESSION, self.path, message, help);
    }
}

/// Whether a placeholder, or an escaped one, is anywhere below.
fn has_markers(value: &Value, depth: usize) -> bool {
    match value {
        Value::String(text) => text.contains("(("),
        Value::Array(items) => depth < MAX_DEPTH && items.iter().any(|item| has_markers(item, depth + 1)),
        Value::Object(map) => {
            depth < MAX_DEPTH && map.iter().any(|(key, value)| key.contains("((") || has_markers(value, depth + 1))
        }
        _ => false,
    }
}

/// A stretch of a scalar.
enum Span<'t> {
    Fixed(String),
    Expression(&'t str),
}

fn scan(text: &str) -> Result<Vec<Span<'_>>, String> {
    let mut spans = Vec::new();
    let mut fixed = String::new();
    let mut rest = text;
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("\\((") {
            fixed.push_str("((");
            rest = after;
        } else if let Some(after) = rest.strip_prefix("((") {
            let end = placeholder_end(after)?;
            let expression = after.get(..end).unwrap_or_default().trim();
            if expression.is_empty() {
                return Err("a placeholder is empty".into());
            }
            if !fixed.is_empty() {
                spans.push(Span::Fixed(std::mem::take(&mut fixed)));
            }
            spans.push(Span::Expression(expression));
            rest = after.get(end + 2..).unwrap_or_default();
        } else {
            let mut characters = rest.chars();
            fixed.extend(characters.next());
            rest = characters.as_str();
        }
    }
    if !fixed.is_empty() {
        spans.push(Span::Fixed(fixed));
    }
    Ok(spans)
}

/// Where the closing `))` is, parentheses and quotes of the expression taken into account.
fn placeholder_end(text: &str) -> Result<usize, String> {
    let bytes = text.as_bytes();
    let (mut depth, mut quote, mut at) = (0_usize, None, 0);
    while let Some(&byte) = bytes.get(at) {
        match (quote, byte) {
            (Some(_), b'\\') => at += 1,
            (Some(open), _) if byte == open => quote = None,
            (None, b'"' | b'\'') => quote = Some(byte),
            (None, b'(') => depth += 1,
            (None, b')') if depth > 0 => depth -= 1,
            (None, b')') if bytes.get(at + 1) == Some(&b')') => return Ok(at),
            (None, b')') => return Err("a placeholder has a parenthesis too many".into()),
            _ => {}
        }
        at += 1;
    }
    Err("a placeholder is not closed".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<Vec<String>, String> {
        let show = |span| match span {
            Span::Fixed(text) => text,
            Span::Expression(text) => format!("<{text}>"),
        };
        scan(text).map(|spans| spans.into_iter().map(show).collect())
    }

    #[test]
    fn placeholders_respect_parentheses_and_quotes() {
        assert_eq!(shown("a-(( string(f(x)) ))-b").unwrap(), ["a-", "<string(f(x))>", "-b"]);
        assert_eq!(shown(r#"(( "))".size() ))"#).unwrap(), [r#"<"))".size()>"#]);
        assert_eq!(shown(r"\((not)) (( x ))").unwrap(), ["((not)) ", "<x>"]);
    }

    #[test]
    fn broken_placeholders_are_refused() {
        assert!(shown("(( x").unwrap_err().contains("not closed"));
        assert!(shown("(( ))").unwrap_err().contains("empty"));
        assert!(shown("(( x) ))").unwrap_err().contains("too many"));
    }
}
