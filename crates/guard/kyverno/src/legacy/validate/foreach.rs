//! `foreach`: a demand on each element of lists.

use palisade_jmespath::QueryError;
use palisade_model::{Path, Str, Value, Verdict};

use super::blame::place_of;
use super::{Answer, Demand, Judge, Scope, evaluate};
use crate::legacy::condition::Conditions;
use crate::legacy::context::RuleContext;
use crate::legacy::spec::{ContextEntry, ForEachValidation, Rule, Validation};

/// A loop over the elements that a query gives.
#[derive(Debug)]
pub(crate) struct Loop {
    list: Str,
    element_scope: Option<bool>,
    context: Vec<ContextEntry>,
    preconditions: Option<Conditions>,
    demand: Option<Demand>,
}

/// How deep loops may nest.
const MAX_NESTING: usize = 32;

impl Loop {
    pub(super) fn compile(item: &ForEachValidation, rule: &Rule, validation: &Validation) -> Self {
        Self {
            list: item.list.clone(),
            element_scope: item.element_scope,
            context: item.context.clone(),
            preconditions: item.preconditions.clone(),
            demand: item.check.as_ref().map(|check| Demand::compile(check, rule, validation)),
        }
    }
}

impl<'a> Judge<'_, 'a> {
    /// The first element that does not pass decides. A list that does not exist has no elements; `None` where there
    /// was nothing to judge.
    pub(super) fn for_each(&self, loops: &'a [Loop], scope: &Scope) -> Option<Answer> {
        if scope.nesting > MAX_NESTING {
            return Some(Answer::new(Verdict::Error, format!("more than {MAX_NESTING} foreach loops are nested")));
        }
        let mut judged = 0;
        let mut broken = None;
        for item in loops {
            match self.context.list(&item.list) {
                Ok(elements) => match self.elements(item, &elements, scope) {
                    Ok(count) => judged += count,
                    Err(answer) => return Some(*answer),
                },
                Err(QueryError::NotFound { .. }) => {}
                Err(error) => broken = Some(error),
            }
        }
        match (judged, broken) {
            (0, Some(error)) => Some(Answer::error("failed to evaluate list", error)),
            (0, None) => None,
            _ => Some(Answer::new(Verdict::Pass, "rule passed")),
        }
    }

    /// How many elements were judged and passed, or the answer of the first that did not.
    fn elements(&self, item: &'a Loop, elements: &[Value], scope: &Scope) -> Result<usize, Box<Answer>> {
        self.context.checkpoint();
        let mut judged = 0;
        let mut result = Ok(0);
        for (index, element) in elements.iter().enumerate().filter(|(_, element)| !element.is_null()) {
            self.context.reset();
            match self.element(item, element, index, scope) {
                None => {}
                Some(answer) if answer.verdict == Verdict::Pass => judged += 1,
                Some(answer) if answer.verdict == Verdict::Skip => {}
                Some(answer) => {
                    result = Err(Box::new(answer));
                    break;
                }
            }
        }
        self.context.restore();
        result.map(|_: usize| judged)
    }

    fn element(&self, item: &'a Loop, element: &Value, index: usize, outer: &Scope) -> Option<Answer> {
        if let Err(error) = self.context.spend_round() {
            return Some(Answer::error("failed to process foreach", error));
        }
        let is_object = element.as_object().is_some();
        if item.element_scope == Some(true) && !is_object {
            let kind = element.type_name();
            let why = format!("elementScope is true, but the element is no object but {kind}; leave elementScope out");
            return Some(Answer::error("failed to process foreach", why));
        }
        self.context.bind_element(element, index, outer.nesting);
        self.context.add_entries(&item.context);
        if let Some(conditions) = &item.preconditions {
            match evaluate(conditions, self.context) {
                Ok(outcome) if outcome.met => {}
                // Kyverno goes on with the next element, also where preconditions cannot be evaluated.
                Ok(_) => return Some(Answer::new(Verdict::Skip, "preconditions not met")),
                Err(_) => return None,
            }
        }
        let scoped = item.element_scope.unwrap_or(is_object);
        let path = plain_list(&item.list, index, element, self.context).or_else(|| place_of(element, self.context));
        let scope = Scope {
            nesting: outer.nesting + 1,
            element: if scoped { Some(element.clone()) } else { outer.element.clone() },
            path: path.or_else(|| outer.path.clone()),
        };
        self.check(item.demand.as_ref()?, &scope)
    }
}

/// The place of an element of a list that is named without further ado.
fn plain_list(list: &str, index: usize, element: &Value, context: &RuleContext<'_>) -> Option<Path> {
    let path = super::blame::plain_path(list.trim())?.child(index);
    (path.resolve(&context.object()) == Some(element)).then_some(path)
}
