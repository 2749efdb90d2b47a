//! The plan: what the compiler makes of modules and the machine runs.
//!
//! Names are resolved to registers, constants and rules; conditions are in an order in which every variable is bound
//! before it is needed; unification is resolved to copies, comparisons and destructuring. A body is a list of steps
//! of which some ([`Step::Scan`], [`Step::Walk`]) run the rest of the list once per solution, so the machine backtracks
//! by returning. Deliberately absent: evaluation (`machine`), syntax (`syntax`).

use std::collections::BTreeMap;
use std::sync::Arc;

use palisade_model::{Location, Relation, Source, Span, Str};
use palisade_rego_value::Value;

use palisade_rego_builtins::Builtin;

/// A slot of the frame of the definition that runs.
pub type Register = u32;
/// An index into [`Program::rules`].
pub type RuleId = u32;
/// An index into [`Program::nodes`].
pub type NodeId = u32;

/// Modules, ready to run. Immutable; a machine copies the constants so that threads share no counters.
#[derive(Debug, Default)]
pub struct Program {
    /// Constants that operands name.
    pub constants: Vec<Value>,
    /// Rules, each with all its definitions.
    pub rules: Vec<Rule>,
    /// The tree of packages and rules below `data`; the first node is `data` itself.
    pub nodes: Vec<Node>,
    /// Builtins that calls name.
    pub builtins: Vec<&'static Builtin>,
    /// Compiled queries (`compile::query`), each a block that emits one object of bindings per solution.
    pub queries: Vec<Definition>,
    /// Texts of the modules, by the number that [`Place`] names.
    pub sources: Vec<Arc<Source>>,
    /// The expressions that [`Step::Mark`] names; empty without instrumentation.
    pub expressions: Vec<Place>,
}

impl Program {
    /// Whether any rule prints, and so an observer is of use.
    pub fn prints(&self) -> bool {
        let definitions = self.rules.iter().flat_map(|rule| rule.definitions.iter().chain(&rule.default));
        definitions.chain(&self.queries).flat_map(|definition| &definition.branches).any(Block::prints)
    }

    /// A place in its source.
    pub fn location(&self, place: Place) -> Option<Location> {
        let source = self.sources.get(place.source as usize)?.clone();
        Some(Location { source, span: place.span })
    }
}

/// Where something is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Place {
    /// An index into [`Program::sources`].
    pub source: u32,
    /// The bytes of it.
    pub span: Span,
}

/// A name below `data`.
#[derive(Clone, Debug, Default)]
pub struct Node {
    /// Its path below `data`.
    pub path: Vec<Str>,
    /// Names below it (packages and rules).
    pub children: BTreeMap<Str, NodeId>,
    /// The rule of this name; it then has no children.
    pub rule: Option<RuleId>,
}

/// All definitions of one name.
#[derive(Debug)]
pub struct Rule {
    /// Its path below `data`, package first.
    pub path: Vec<Str>,
    /// What it makes.
    pub kind: RuleKind,
    /// Its value where no definition holds: a definition with one branch and no conditions.
    pub default: Option<Definition>,
    /// Definitions in order of the modules.
    pub definitions: Vec<Definition>,
    /// Where the first definition is written.
    pub place: Place,
    /// What its value depends on.
    pub reads: Reads,
}

/// What a value depends on, through everything that the rule refers to; what is `false` cannot change it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "four independent facts")]
pub struct Reads {
    /// `input`.
    pub input: bool,
    /// Documents below `data`: base documents, or other rules.
    pub data: bool,
    /// Functions, of the modules or built in (which `with` may replace).
    pub functions: bool,
    /// Builtins whose answer may differ between calls.
    pub nondeterministic: bool,
}

/// What a rule makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// One value ([`Emit::Value`]); different values are a conflict.
    Complete,
    /// A set ([`Emit::Element`]).
    Set,
    /// An object ([`Emit::Member`], [`Emit::Nested`]); different values of one key are a conflict.
    Object,
    /// A function of the first registers; different values are a conflict. A `default` of a function holds where no
    /// definition does.
    Function {
        /// The number of its parameters.
        arity: u32,
    },
}

/// One definition: its branches are tried in order and the first that holds decides (`else`).
#[derive(Clone, Debug)]
pub struct Definition {
    /// The number of registers that its branches need together.
    pub registers: u32,
    /// The body and the `else` branches.
    pub branches: Vec<Block>,
    /// Where it is written.
    pub place: Place,
}

/// Steps, and what is made of each solution.
#[derive(Clone, Debug)]
pub struct Block {
    /// Steps in order.
    pub steps: Vec<Step>,
    /// For each step, where it comes from.
    pub places: Vec<Place>,
    /// What each solution gives.
    pub emit: Emit,
}

impl Block {
    fn prints(&self) -> bool {
        self.steps.iter().any(|step| match step {
            Step::Print(_) => true,
            Step::Not(inner) => inner.prints(),
            Step::Comprehension { block, .. } => block.prints(),
            _ => false,
        })
    }
}

/// What a solution gives.
#[derive(Clone, Debug)]
pub enum Emit {
    /// Nothing but that there is one: the block ends at the first.
    Exists,
    /// The value of a complete rule or function. Where the operand is a constant the first solution is enough.
    Value(Operand),
    /// An element of a set, or of an array in the order of the solutions.
    Element(Operand),
    /// A member of an object comprehension or of a partial object; the path has one part or more (`p[a].b := v`).
    Member(Vec<Operand>, Operand),
    /// An element of a set at a path within a partial object (`p[a].b contains v`).
    Nested(Vec<Operand>, Operand),
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operand {
    /// A register, which is bound when the step runs.
    Register(Register),
    /// An index into [`Program::constants`].
    Constant(u32),
    /// `input`; may be undefined.
    Input,
    /// The base documents below `data`, without what rules define.
    Data,
}

/// One step. A step whose condition does not hold, or that comes upon something undefined, ends the current solution.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "the fields are told in the sentence of each step")]
pub enum Step {
    /// `to` becomes the value.
    Copy { from: Operand, to: Register },
    /// Follows bound keys: members of objects, elements of arrays by whole numbers, elements of sets by themselves.
    Get { source: Operand, path: Vec<Operand>, to: Register },
    /// For each entry of an array, object or set, binds key and value and runs the rest. Of a set both are the element.
    Scan { source: Operand, key: Option<Register>, value: Option<Register> },
    /// For each `[path, value]` within the value (`walk`), binds the pair and runs the rest.
    Walk { source: Operand, to: Register },
    /// The document at a node, followed along bound keys: rules and packages on the way, base documents merged in.
    /// Only what lies on the path is evaluated. Functions are not part of it.
    Tree { node: NodeId, path: Vec<Operand>, to: Register },
    /// The keys of that document as a set, without evaluating what is below them: names of packages, rules and base
    /// documents; where the path ends in a value, its keys, indices or elements. Names of undefined rules may be among them.
    Keys { node: NodeId, path: Vec<Operand>, to: Register },
    /// The value of a rule without parameters.
    Rule { rule: RuleId, to: Register },
    /// The value of a function.
    Call { callee: Callee, arguments: Vec<Operand>, to: Register },
    /// Compares. Without `to` it is a condition; with it the answer is kept.
    Compare { relation: Relation, left: Operand, right: Operand, to: Option<Register> },
    /// Must be neither undefined nor `false`.
    Truthy(Operand),
    /// Must be an array of this length.
    ArrayOf { source: Operand, length: u32 },
    /// Must be an object with this number of members.
    ObjectOf { source: Operand, length: u32 },
    /// Must be an array, object or set (`every`).
    Collection(Operand),
    /// Builds an array.
    Array { items: Vec<Operand>, to: Register },
    /// Builds a set.
    Set { items: Vec<Operand>, to: Register },
    /// Builds an object; of a repeated key the last value counts, constant keys before others.
    Object { members: Vec<(Operand, Operand)>, to: Register },
    /// Collects what the block emits.
    Comprehension { collect: Collect, block: Box<Block>, to: Register },
    /// Must have no solution.
    Not(Box<Block>),
    /// From here to the matching [`Step::EndWith`], replacements are in force (rules are evaluated anew).
    With(Vec<Replacement>),
    /// What follows, for each solution, runs without the replacements of the innermost [`Step::With`].
    EndWith,
    /// Prints; each operand is a set holding the argument, empty where it is undefined.
    Print(Vec<Operand>),
    /// The expression of this number is about to be evaluated (coverage, traces).
    Mark(u32),
}

/// What a comprehension builds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Collect {
    /// An array.
    Array,
    /// A set.
    Set,
    /// An object.
    Object,
}

/// What a call names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callee {
    /// An index into [`Program::builtins`].
    Builtin(u32),
    /// A function of the modules.
    Rule(RuleId),
}

/// One `with`.
#[derive(Clone, Debug)]
pub enum Replacement {
    /// `with input.a.b as v`.
    Input(Vec<Str>, Operand),
    /// `with data.a.b as v`: hides rules and base documents there.
    Data(Vec<Str>, Operand),
    /// `with f as g`.
    Function(Callee, Callee),
    /// `with f as v`: the function gives this value for any arguments.
    Constant(Callee, Operand),
}
