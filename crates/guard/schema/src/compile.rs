//! From a schema's document to its rules, in the order in which OPA finds fault with it.

use std::collections::HashMap;

use palisade_rego_value::Value;

use super::keywords::Keywords;
use super::references::{Documents, resolve};
use super::{Rule, RuleId};

/// The most schemas within one; references do not count again.
const MAX_RULES: usize = 50_000;
/// How deeply schemas may be nested.
const MAX_NESTING: usize = 100;

/// The words for something that is no schema.
pub(super) const NO_SCHEMA: &str = "Expected: Valid Schema, given: Invalid JSON";

/// A draft of JSON Schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Draft {
    Four,
    Six,
    Seven,
    /// No draft is named: old and new keywords mean what they meant where they came from.
    Any,
}

pub(super) fn compile(document: &Value) -> Result<Vec<Rule>, String> {
    let draft = draft_of(document)?;
    let documents = Documents::new(document);
    let mut compiler = Compiler { documents, rules: Vec::new(), known: HashMap::new(), draft, nesting: 0 };
    compiler.rule(document, "")?;
    Ok(compiler.rules)
}

fn draft_of(document: &Value) -> Result<Draft, String> {
    if document.as_bool().is_some() {
        return Ok(Draft::Any);
    }
    let schema = document.as_object().ok_or("schema is invalid")?;
    let Some(named) = schema.get_str("$schema") else { return Ok(Draft::Any) };
    let named = named.as_str().ok_or("$schema must be of type string")?;
    Ok(match named.trim_end_matches('#') {
        "http://json-schema.org/draft-04/schema" => Draft::Four,
        "http://json-schema.org/draft-06/schema" => Draft::Six,
        "http://json-schema.org/draft-07/schema" => Draft::Seven,
        _ => Draft::Any,
    })
}

pub(super) struct Compiler<'a> {
    documents: Documents<'a>,
    rules: Vec<Rule>,
    /// The rules of references, so that each is compiled once and circles end.
    known: HashMap<String, RuleId>,
    pub(super) draft: Draft,
    nesting: usize,
}

impl<'a> Compiler<'a> {
    /// Compiles a schema that stands where references are relative to `base`.
    pub(super) fn rule(&mut self, document: &'a Value, base: &str) -> Result<RuleId, String> {
        let id = self.reserve()?;
        self.fill(id, document, base)?;
        Ok(id)
    }

    fn reserve(&mut self) -> Result<RuleId, String> {
        if self.rules.len() >= MAX_RULES {
            return Err(format!("schema has more than {MAX_RULES} parts"));
        }
        self.rules.push(Rule::default());
        Ok(self.rules.len() - 1)
    }

    fn fill(&mut self, id: RuleId, document: &'a Value, base: &str) -> Result<(), String> {
        if self.nesting >= MAX_NESTING {
            return Err(format!("schema is nested deeper than {MAX_NESTING} levels"));
        }
        self.nesting += 1;
        let rule = self.read(document, base);
        self.nesting -= 1;
        if let Some(place) = self.rules.get_mut(id) {
            *place = rule?;
        }
        Ok(())
    }

    fn read(&mut self, document: &'a Value, base: &str) -> Result<Rule, String> {
        if let (Value::Bool(verdict), true) = (document, self.draft >= Draft::Six) {
            return Ok(Rule { verdict: Some(*verdict), ..Rule::default() });
        }
        let keywords = Keywords(document.as_object().ok_or(NO_SCHEMA)?);
        let name =
            if self.draft == Draft::Four || (self.draft == Draft::Any && keywords.has("id")) { "id" } else { "$id" };
        let base = keywords.text(name)?.map_or_else(|| base.to_owned(), |id| resolve(base, id));
        for (_, definition) in keywords.definitions()? {
            self.rule(definition, &base)?;
        }
        keywords.text("title")?;
        keywords.text("description")?;
        if let Some(reference) = keywords.text("$ref")? {
            let reference = self.reference(&resolve(&base, reference))?;
            return Ok(Rule { reference: Some(reference), ..Rule::default() });
        }
        keywords.compile(self, &base)
    }

    fn reference(&mut self, target: &str) -> Result<RuleId, String> {
        if let Some(known) = self.known.get(target) {
            return Ok(*known);
        }
        let (document, base) = self.documents.find(target)?;
        if document.as_object().is_none() && document.as_bool().is_none() {
            return Err("Valid Schema must be of type object".into());
        }
        let id = self.reserve()?;
        self.known.insert(target.to_owned(), id);
        self.fill(id, document, &base)?;
        Ok(id)
    }
}
