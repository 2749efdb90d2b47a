//! `generate` rules: objects that a resource brings with it.
//!
//! Called with a rule that has already selected the request, with its context entries declared and its preconditions
//! met. What comes out are whole objects, named, labelled and versioned as Kyverno's background controller would write
//! them. Deliberately absent: writing them, removing those whose source is gone, and following changes of a source
//! (`synchronize`), which need a cluster; the rule's settings stay readable in its specification.

mod metadata;
mod source;
#[cfg(test)]
mod tests;

use palisade_model::{Value, Verdict};
use palisade_policy::Effect;

use crate::legacy::context::RuleContext;
use crate::legacy::spec::{ForEachGeneration, GeneratePattern, Generation};
use crate::legacy::validate::evaluate;
use crate::legacy::variables::substitute;

/// What a generate rule came to.
#[derive(Clone, Debug)]
pub struct Generated {
    /// Pass, or error where an object could not be made.
    pub verdict: Verdict,
    /// What went wrong; empty otherwise.
    pub message: String,
    /// The objects that are to exist and do not yet, or not like this.
    pub effect: Effect,
}

/// Applies a generate rule to the resource that triggers it.
pub fn apply_rule<'a>(generation: &'a Generation, trigger: &Value, context: &RuleContext<'a>) -> Generated {
    let generator = Generator { trigger, context, synchronize: generation.synchronize };
    let mut objects = Vec::new();
    let mut problems = Vec::new();
    if let Some(pattern) = &generation.pattern {
        generator.pattern(pattern, &mut objects).unwrap_or_else(|problem| problems.push(problem));
    }
    for (index, one) in generation.foreach.iter().enumerate() {
        if let Err(problem) = generator.elements(one, &mut objects) {
            problems.push(format!("failed to process {index} foreach in rule {}: {problem}", context.names().rule));
        }
    }
    let verdict = if problems.is_empty() { Verdict::Pass } else { Verdict::Error };
    let effect = if objects.is_empty() { Effect::None } else { Effect::Generated(objects) };
    Generated { verdict, message: problems.join("; "), effect }
}

struct Generator<'g, 'a> {
    trigger: &'g Value,
    context: &'g RuleContext<'a>,
    synchronize: bool,
}

impl<'a> Generator<'_, 'a> {
    /// Makes what one pattern describes.
    fn pattern(&self, pattern: &GeneratePattern, objects: &mut Vec<Value>) -> Result<(), String> {
        let pattern = substitute(&pattern.source, self.context).map_err(|error| error.to_string())?;
        source::objects(&pattern, self.synchronize, self.context, |object| {
            objects.push(metadata::managed(object, self.trigger, self.context.names()));
        })
    }

    /// Makes what a pattern describes for each element of a list; one element's failure does not stop the others.
    fn elements(&self, one: &'a ForEachGeneration, objects: &mut Vec<Value>) -> Result<(), String> {
        let elements = self.context.list(&one.list).map_err(|error| format!("failed to evaluate the list: {error}"))?;
        let mut problems = Vec::new();
        self.context.checkpoint();
        for (index, element) in elements.iter().enumerate().filter(|(_, element)| !element.is_null()) {
            self.context.reset();
            self.context.bind_element(element, index, 0);
            self.context.add_entries(&one.context);
            if let Err(problem) = self.element(one, objects) {
                problems.push(format!("failed to process {index} element: {problem}"));
            }
        }
        self.context.restore();
        if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
    }

    fn element(&self, one: &ForEachGeneration, objects: &mut Vec<Value>) -> Result<(), String> {
        self.context.spend(1).map_err(|error| error.to_string())?;
        if let Some(conditions) = &one.preconditions {
            let outcome = evaluate(conditions, self.context)
                .map_err(|error| format!("failed to evaluate preconditions: {error}"))?;
            if !outcome.met {
                return Ok(());
            }
        }
        self.pattern(&one.pattern, objects)
    }
}
