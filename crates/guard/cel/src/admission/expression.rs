//! A compiled expression of a policy that knows where it stands, and the compiler that makes them.

use std::fmt;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

use palisade_model::{Diagnostic, Level, Location, Path, Span, Str};
use palisade_policy::Reads;

use super::codes;
use super::document::{Node, Reader};
use super::evaluation::{Evaluation, PREFIX, Variable, Variables};
use super::fields::{self, Looks};
use super::reads;
use super::unknown::{self, Settled};
use crate::syntax::{Expr, parse};
use crate::{Budget, CompileError, Env, EvalError, Program, Type, Val};

/// A compiled expression and where it is written, such as `spec.validations[0].expression`.
#[derive(Clone, Debug)]
pub struct Expression {
    program: Program,
    place: Str,
    env: Env,
    /// The fields that it looks at, once a violation asked for them. Its policy's variables never change.
    looks: Arc<OnceLock<Looks>>,
}

/// Why an expression of a policy has no usable value.
#[derive(Clone, Debug)]
pub struct Failure {
    /// Where the expression is written.
    pub place: Str,
    /// What went wrong.
    pub error: EvalError,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` cannot be evaluated: {}", self.place, self.error)
    }
}

impl Expression {
    /// Its value, within a budget of its own.
    pub fn evaluate(&self, evaluation: &Evaluation<'_>) -> Result<Val, Failure> {
        let mut budget = Budget::new(evaluation.environment().cel_cost_limit);
        self.compute(evaluation, &mut budget).map_err(|error| self.failure(error))
    }

    /// Its value, which must be `true` or `false`.
    pub fn decide(&self, evaluation: &Evaluation<'_>) -> Result<bool, Failure> {
        let value = self.evaluate(evaluation)?;
        value.as_bool().ok_or_else(|| {
            let found = value.type_name();
            self.failure(EvalError::invalid(format_args!("its value must be `true` or `false`, not of type {found}")))
        })
    }

    pub(super) fn compute(&self, evaluation: &Evaluation<'_>, budget: &mut Budget) -> Result<Val, EvalError> {
        let memo = if self.program.is_shared() { evaluation.memo() } else { None };
        match memo {
            Some(memo) => memo.evaluate(&self.program, evaluation, budget),
            None => self.program.evaluate(evaluation, budget),
        }
    }

    /// A failure of this expression.
    pub fn failure(&self, error: EvalError) -> Failure {
        Failure { place: self.place.clone(), error }
    }

    /// The expression as written.
    pub fn source(&self) -> &str {
        self.program.source()
    }

    /// The type that the checker deduced.
    pub fn result_type(&self) -> &Type {
        self.program.result_type()
    }

    /// The names of the variables that it uses.
    pub fn references(&self) -> &[Str] {
        self.program.references()
    }

    /// Its syntax tree.
    pub(super) fn tree(&self) -> Option<Expr> {
        parse(self.source(), self.env.registry()).ok()
    }

    /// What becomes of its failure where values are filled in later.
    pub(super) fn settle(&self, evaluation: &Evaluation<'_>) -> Settled {
        unknown::settle(self, self.looks.get_or_init(|| Looks::of(self, evaluation)), evaluation)
    }

    /// The fields of the object that it looks at, most telling first.
    pub fn offending_paths(&self, evaluation: &Evaluation<'_>) -> Vec<Path> {
        let looks = self.looks.get_or_init(|| Looks::of(self, evaluation));
        fields::offending(looks, self, evaluation)
    }
}

/// Compiles the expressions of one policy document, declaring its variables on the way.
#[derive(Debug)]
pub struct Compiler<'r, 'd> {
    /// What reads the document and collects problems.
    pub reader: &'r mut Reader<'d>,
    env: Env,
    variables: Variables,
}

impl<'r, 'd> Compiler<'r, 'd> {
    /// A compiler for expressions of `env`.
    pub const fn new(reader: &'r mut Reader<'d>, env: Env) -> Self {
        Self { reader, env, variables: Variables { entries: Vec::new() } }
    }

    /// Reads and compiles `spec.variables`-like entries at `key`, in order; each may use the ones before it.
    pub fn declare_variables(&mut self, parent: &Node<'_>, key: &str) {
        for node in self.reader.list(parent, key) {
            let Some(name) = self.reader.required_text(&node, "name") else { continue };
            let reference: Str = format!("{PREFIX}{name}").into();
            let Some(expression) = self.required(&node, "expression", &[]) else {
                // One report is enough: what uses the variable is not to blame.
                self.declare(reference, Type::Dyn);
                continue;
            };
            let env = self.env.extend().variable(reference.clone(), expression.result_type().clone());
            let env = match expression.program.constant_text() {
                Some(text) => env.text(reference.clone(), text.clone()),
                None => env,
            };
            self.env = env.build();
            self.variables.entries.push(Variable { reference, expression });
        }
    }

    /// Declares another variable for the expressions that follow.
    pub fn declare(&mut self, name: impl Into<Str>, of: Type) {
        self.env = self.env.extend().variable(name, of).build();
    }

    /// The variables that were declared from the document.
    pub fn into_variables(self) -> Variables {
        self.variables
    }

    /// Compiles the expression at `key`; `None` where it is absent or does not compile. Where `results` is not empty,
    /// the expression must have one of these types or one that is known only when it is evaluated.
    pub fn optional(&mut self, parent: &Node<'_>, key: &str, results: &[Type]) -> Option<Expression> {
        let text = self.reader.text(parent, key)?;
        if text.trim().is_empty() {
            return None;
        }
        self.compile(&text, &parent.path.child(key), results)
    }

    /// Like [`Compiler::optional`] for an expression that must be there.
    pub fn required(&mut self, parent: &Node<'_>, key: &str, results: &[Type]) -> Option<Expression> {
        let present = parent.get(key).is_some_and(|node| node.value.as_str() != Some(""));
        if !present {
            self.reader.missing(parent, key);
            return None;
        }
        self.optional(parent, key, results)
    }

    /// Compiles `text`, which stands at `path`.
    pub fn compile(&mut self, text: &str, path: &Path, results: &[Type]) -> Option<Expression> {
        let compiled = match self.reader.pool() {
            Some(pool) => pool.compile(&self.env, text),
            None => self.env.compile(text),
        };
        let program = match compiled {
            Ok(program) => program,
            Err(errors) => {
                for error in errors {
                    self.report(&error, text, path);
                }
                return None;
            }
        };
        if !results.is_empty() && !self.check_result(program.result_type(), results, path) {
            return None;
        }
        let (place, env) = (path.to_string().into(), self.env.clone());
        let expression = Expression { program, place, env, looks: Arc::default() };
        match expression.tree() {
            Some(tree) => reads::note(&tree, &self.variables, self.reader.reads()),
            None => *self.reader.reads() = Reads::anything(),
        }
        Some(expression)
    }

    /// Whether a result of type `found` can be used. A type that is known only when evaluated can, but the API server
    /// and Kyverno refuse it, which is worth a warning.
    fn check_result(&mut self, found: &Type, results: &[Type], path: &Path) -> bool {
        if results.contains(found) {
            return true;
        }
        let wanted: Vec<_> = results.iter().map(|wanted| format!("`{wanted}`")).collect();
        let message = format!("the expression must be of type {}, not `{found}`", wanted.join(" or "));
        let unknown = *found == Type::Dyn || *found == Type::list(Type::Dyn);
        let (level, help) = if unknown {
            (Level::Warning, "convert it, such as `bool(...)` or `string(...)`, or a cluster will refuse the policy")
        } else {
            (Level::Error, "change what the expression computes")
        };
        let diagnostic = Diagnostic::new(codes::WRONG_RESULT, level, message).help(help);
        let diagnostic = match self.reader.locate(path) {
            Some(location) => diagnostic.at(location, ""),
            None => diagnostic,
        };
        self.reader.report(diagnostic);
        unknown
    }

    fn report(&mut self, error: &CompileError, text: &str, path: &Path) {
        let mut diagnostic = Diagnostic::error(codes::INVALID_EXPRESSION, error.message.clone());
        diagnostic = match self.reader.locate(path) {
            Some(location) => diagnostic.at(within_scalar(location, text, error.span.clone()), ""),
            None => Diagnostic { message: format!("{} (at `{path}`)", diagnostic.message), ..diagnostic },
        };
        if let Some(help) = &error.help {
            diagnostic = diagnostic.help(help.clone());
        }
        self.reader.report(diagnostic);
    }
}

/// The place of `span`, bytes of `text`, within the scalar at `location`, whose decoded text that is. YAML's styles
/// differ from the text in white space, quotes and headers only, so characters are counted without white space; where
/// that does not work out (escapes), the whole scalar is the place.
#[must_use]
pub fn within_scalar(location: Location, text: &str, span: Range<usize>) -> Location {
    let written = location.source.slice(location.span);
    let body = scalar_body(written);
    let base = location.span.start as usize + (written.len() - body.len());
    let place = |offset: usize| align(text, body, offset).map(|at| base + at);
    let end = span.end.max(span.start + 1).min(text.len());
    match (place(span.start), place(end.saturating_sub(1))) {
        (Some(start), Some(last)) if start <= last => {
            Location { span: Span::new(start..last + 1), source: location.source }
        }
        _ => location,
    }
}

/// A scalar without its opening quote or block header.
fn scalar_body(written: &str) -> &str {
    match written.chars().next() {
        Some('|' | '>') => written.split_once('\n').map_or("", |(_, body)| body),
        Some('"' | '\'') => written.get(1..).unwrap_or_default(),
        _ => written,
    }
}

/// The offset in `written` of the character at or after `offset` in `text`.
fn align(text: &str, written: &str, offset: usize) -> Option<usize> {
    let solid = |text: &str| -> Vec<(usize, char)> {
        text.char_indices().filter(|(_, character)| !character.is_whitespace()).collect()
    };
    let (text, written) = (solid(text), solid(written));
    let index = text.iter().position(|(at, _)| *at >= offset)?;
    let same = text.iter().zip(&written).take(index + 1).all(|((_, a), (_, b))| a == b);
    written.get(index).filter(|_| same).map(|(at, _)| *at)
}

#[cfg(test)]
mod tests {
    use palisade_model::Source;

    use super::*;

    fn narrowed(written: &str, text: &str, part: &str) -> String {
        let file = format!("expression: {written}");
        let source = Source::new("policy.yaml", file.as_str());
        let span = Span::new(12..file.len());
        let start = text.find(part).unwrap();
        let location = Location { source: source.clone(), span };
        let location = within_scalar(location, text, start..start + part.len());
        source.slice(location.span).to_owned()
    }

    #[test]
    fn errors_are_marked_within_every_style_of_scalar() {
        assert_eq!(narrowed("object.x == foo", "object.x == foo", "foo"), "foo");
        assert_eq!(narrowed("'object.x == foo'", "object.x == foo", "foo"), "foo");
        assert_eq!(narrowed(">-\n    object.x ==\n    foo\n", "object.x == foo", "foo"), "foo");
        assert_eq!(narrowed("|\n  a &&\n  b.c\n", "a &&\nb.c\n", "b.c"), "b.c");
        assert_eq!(narrowed(r#""a == \"b\" + foo""#, r#"a == "b" + foo"#, "foo"), r#""a == \"b\" + foo""#);
    }
}
