//! The syntax tree as it is written, before names are resolved.
//!
//! It follows the grammar of the Rego reference (<https://www.openpolicyagent.org/docs/policy-reference#grammar>).
//! `import rego.v1`, `if` and `contains` leave no trace but [`Head`]'s form.

use std::sync::Arc;

use palisade_model::{Source, Span, Str};

use palisade_rego_value::{Number, Value};

/// Which generation of the language a module is written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Version {
    /// OPA before 1.0: `if` and `contains` only with `future.keywords` or `rego.v1`.
    V0,
    /// OPA 1.0 and later.
    #[default]
    V1,
}

/// A parsed file.
#[derive(Clone, Debug)]
pub struct Module {
    /// Its text, for spans.
    pub source: Arc<Source>,
    /// The generation whose rules it is checked by (`import rego.v1` makes a v0 module v1).
    pub version: Version,
    /// The path after `package`, without `data`.
    pub package: Vec<Str>,
    /// Where the package's name is written.
    pub package_span: Span,
    /// Imports in order, `rego.v1` and `future.keywords` included.
    pub imports: Vec<Import>,
    /// Rules in order.
    pub rules: Vec<Rule>,
    /// Metadata blocks in order, each with the scope it applies to.
    pub annotations: Vec<Annotation>,
    /// Comments in order, from the `#` to the end of the line.
    pub comments: Vec<Span>,
}

/// `import data.a.b as c`.
#[derive(Clone, Debug)]
pub struct Import {
    /// The path, `data` or `input` (or `rego`, `future`) first.
    pub path: Vec<Str>,
    /// The name it goes by in the module: the alias, or the last part of the path.
    pub name: Str,
    /// Whether the name is written after `as`.
    pub aliased: bool,
    /// Where it is written.
    pub span: Span,
}

/// One definition: a head with its bodies. `p { a } { b }` of v0 is two rules.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What is defined.
    pub head: Head,
    /// Whether this is the value where no other definition holds.
    pub default: bool,
    /// The conditions; empty means always.
    pub body: Body,
    /// `else` branches in order, each with its value (absent: `true`).
    pub otherwise: Vec<Else>,
    /// From the head's first byte to the end of the last body.
    pub span: Span,
}

/// An `else` branch.
#[derive(Clone, Debug)]
pub struct Else {
    /// Its value; absent means `true`.
    pub value: Option<Term>,
    /// Whether the value is written after `:=` (and not `=`).
    pub assign: bool,
    /// Its conditions; empty means always.
    pub body: Body,
    /// Where it is written.
    pub span: Span,
}

/// The head of a rule.
#[derive(Clone, Debug)]
pub struct Head {
    /// The name and what follows: `a.b[c].d`. The first part is a name; further ones are any terms (a name written
    /// after a dot is a string). Neither arguments nor the element of a set are part of it; the key of
    /// `p[k] := v` and of v0's `p[x] { .. }` (see `kind`) is handled as told there.
    pub reference: Vec<Term>,
    /// What kind of document it defines.
    pub kind: HeadKind,
    /// Whether the value is written after `:=` (and not `=`).
    pub assign: bool,
    /// Where it is written.
    pub span: Span,
}

/// What a rule's head defines.
#[derive(Clone, Debug)]
pub enum HeadKind {
    /// `p := v`, `p = v`, `p`, `a.b[k].c := v`: one value at the reference (whose parts may be variables, which makes
    /// it a partial object). Absent value: `true`.
    Value(Option<Term>),
    /// `p contains x`, and v0's `p[x]`: an element of a set at the reference.
    Contains(Term),
    /// `f(a, b) := v`: a function with patterns as parameters. Absent value: `true`.
    Function(Vec<Term>, Option<Term>),
}

/// Conditions that must all hold.
pub type Body = Vec<Expression>;

/// One condition.
#[derive(Clone, Debug)]
pub struct Expression {
    /// Whether it must not hold.
    pub negated: bool,
    /// What is asked.
    pub kind: ExpressionKind,
    /// `with` replacements in order.
    pub with: Vec<With>,
    /// Where it is written.
    pub span: Span,
}

/// The forms of a condition.
#[derive(Clone, Debug)]
pub enum ExpressionKind {
    /// A term that must be defined and not `false`.
    Term(Term),
    /// `a := b`.
    Assign(Term, Term),
    /// `a = b`.
    Unify(Term, Term),
    /// `some x, y`.
    Some(Vec<(Str, Span)>),
    /// `some k, v in xs`.
    SomeIn {
        /// The key or index.
        key: Option<Term>,
        /// The value or element.
        value: Term,
        /// What is gone through.
        collection: Term,
    },
    /// `every k, v in xs { .. }`.
    Every {
        /// The name of the key or index.
        key: Option<(Str, Span)>,
        /// The name of the value or element.
        value: (Str, Span),
        /// What is gone through.
        collection: Term,
        /// What must hold for each.
        body: Body,
    },
    /// `not { .. }`, and every `not` where `future.keywords.not` is imported: the operand has no solution, for whatever
    /// reason.
    Not(Operand),
    /// `a and b`: both have a solution.
    And(Operand, Operand),
    /// `a or b`: one of them has a solution.
    Or(Operand, Operand),
}

/// What `not`, `and` and `or` are about. Variables that it gives values to are not seen outside.
#[derive(Clone, Debug)]
pub struct Operand {
    /// The conditions.
    pub body: Body,
    /// Whether it is written in braces, and may give values to variables.
    pub explicit: bool,
}

impl Operand {
    /// A condition by itself.
    pub(super) fn of(expression: Expression) -> Self {
        Self { body: vec![expression], explicit: false }
    }
}

/// `with input.x as y`.
#[derive(Clone, Debug)]
pub struct With {
    /// What is replaced: a reference below `input` or `data`, or the name of a function.
    pub target: Term,
    /// What stands in its place.
    pub value: Term,
    /// Where it is written.
    pub span: Span,
}

/// An expression with a value.
#[derive(Clone, Debug)]
pub struct Term {
    /// What it is.
    pub kind: TermKind,
    /// Where it is written.
    pub span: Span,
}

/// The forms of a term.
#[derive(Clone, Debug)]
pub enum TermKind {
    /// `null`, `true`, `"x"` (numbers have their own form).
    Scalar(Value),
    /// A number as written.
    Number(Number),
    /// A name, `input` and `data` included. `_` is renamed `$0`, `$1`, ... by the parser, so that each is its own.
    Variable(Str),
    /// `head[a].b`: a name, call, or composite term followed by at least one part.
    Reference(Box<Term>, Vec<Term>),
    /// `f(x)`, `a.b.f(x)`, and operators by the name of their function as one variable (`plus`, `equal`, `and` for `&`,
    /// `internal.member_2` for `x in xs`, `internal.member_3` for `k, v in xs`); `-x` is `minus(0, x)`.
    Call(Box<Term>, Vec<Term>),
    /// `[a, b]`.
    Array(Vec<Term>),
    /// `{a, b}`.
    Set(Vec<Term>),
    /// `{k: v}`.
    Object(Vec<(Term, Term)>),
    /// `[x | body]`.
    ArrayComprehension(Box<Term>, Body),
    /// `{x | body}`.
    SetComprehension(Box<Term>, Body),
    /// `{k: v | body}`.
    ObjectComprehension(Box<Term>, Box<Term>, Body),
    /// `$"a {x} b"`: texts and expressions in order; an undefined expression reads `<undefined>`.
    Template(Vec<TemplatePart>),
}

/// A piece of an interpolated string.
#[derive(Clone, Debug)]
pub enum TemplatePart {
    /// Text between expressions.
    Text(Str),
    /// An expression in braces: a term, perhaps with `with`.
    Expression(Expression),
}

/// A metadata block (`# METADATA` and the YAML comment lines after it).
#[derive(Clone, Debug)]
pub struct Annotation {
    /// What it is about.
    pub scope: Scope,
    /// For `rule` and `document` scope, the index into [`Module::rules`] of the rule it precedes.
    pub rule: Option<usize>,
    /// The whole block as data: `title`, `description`, `custom`, ...
    pub value: palisade_model::Value,
    /// Where it is written.
    pub span: Span,
}

/// The scope of a metadata block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The rule that follows.
    Rule,
    /// All rules of that name in the package.
    Document,
    /// The package, in all its files.
    Package,
    /// The package and those below it.
    Subpackages,
}
