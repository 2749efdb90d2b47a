//! JSON Schema: drafts 4, 6 and 7, and the mixture of them that holds where a schema does not say.
//!
//! What is accepted and how violations are told is OPA's (which has it from gojsonschema), because `json.match_schema`
//! shows them. A schema is compiled once and is then a table of rules that name one another, so that references may
//! form circles. Gatekeeper's schemas, which are Kubernetes' and judged there, share the named [`formats`]. Deliberately absent:
//! references to other documents (nothing is fetched), and default values.

mod compile;
pub mod formats;
mod keywords;
mod numbers;
mod references;
#[cfg(test)]
mod tests;
mod validate;

use regex::Regex;

use palisade_rego_value::{Number, Value};

/// A compiled schema.
#[derive(Debug)]
pub struct Schema {
    rules: Vec<Rule>,
}

/// What is wrong with a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The name of the violated constraint: `invalid_type`, `required`.
    pub kind: &'static str,
    /// Where: names and indices with dots between them, or `(Root)`.
    pub field: String,
    /// What is wrong there.
    pub description: String,
}

/// Why a document could not be judged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unjudged {
    /// References lead in a circle that never reaches into the document, or it is nested too deeply.
    #[error("the schema refers to itself without end: remove the circle of references")]
    TooDeep,
    /// More steps than permitted.
    #[error("the schema takes too many steps: simplify it or judge a smaller document")]
    TooManySteps,
}

impl Schema {
    /// Reads a schema: an object, or `true` or `false`.
    pub fn compile(document: &Value) -> Result<Self, String> {
        compile::compile(document).map(|rules| Self { rules })
    }

    /// Everything that is wrong with a document; `steps` is how much work may be done, and becomes what is left.
    pub fn validate(&self, document: &Value, steps: &mut u64) -> Result<Vec<Violation>, Unjudged> {
        validate::validate(&self.rules, document, steps)
    }
}

/// An index into the rules of a schema; the first is the schema itself.
type RuleId = usize;

/// One schema among those that a schema is made of.
#[derive(Debug, Default)]
struct Rule {
    /// `true` or `false` as the whole schema.
    verdict: Option<bool>,
    /// The rule that stands for this one.
    reference: Option<RuleId>,
    types: Vec<&'static str>,
    properties: Vec<(String, RuleId)>,
    pattern_properties: Vec<(Regex, RuleId)>,
    additional_properties: Option<Additional>,
    property_names: Option<RuleId>,
    dependencies: Vec<(String, Dependency)>,
    items: Option<Items>,
    additional_items: Option<Additional>,
    contains: Option<RuleId>,
    multiple_of: Option<Number>,
    minimum: Option<Number>,
    exclusive_minimum: Option<Number>,
    maximum: Option<Number>,
    exclusive_maximum: Option<Number>,
    lengths: Bounds,
    counts: Bounds,
    sizes: Bounds,
    pattern: Option<Regex>,
    format: Option<String>,
    required: Vec<String>,
    unique_items: bool,
    constant: Option<Value>,
    options: Option<Vec<Value>>,
    one_of: Vec<RuleId>,
    any_of: Vec<RuleId>,
    all_of: Vec<RuleId>,
    not: Option<RuleId>,
    condition: Option<RuleId>,
    then: Option<RuleId>,
    otherwise: Option<RuleId>,
}

/// The fewest and the most of something.
#[derive(Debug, Default)]
struct Bounds {
    least: Option<usize>,
    most: Option<usize>,
}

/// What holds for what nothing else describes.
#[derive(Debug)]
enum Additional {
    Permitted(bool),
    Rule(RuleId),
}

#[derive(Debug)]
enum Dependency {
    Names(Vec<String>),
    Rule(RuleId),
}

#[derive(Debug)]
enum Items {
    All(RuleId),
    Each(Vec<RuleId>),
}
