//! From a review to a decision: the judgement of a ruleset, in words for whoever asked and for the audit log.

use palisade_model::{Checkpoint, Decision};
use palisade_policy::{Environment, Phase, Request};
use palisade_verdict::{Door, Ruleset};

use crate::Review;
use crate::message::{Complaint, denial, record, warnings};

/// Whether the request may happen: the answer of a validating webhook.
pub fn validate(ruleset: &Ruleset, review: &Review, environment: &Environment<'_>) -> Decision {
    decide(ruleset, review, &[Phase::Validate], environment)
}

/// What the object becomes on its way in: the answer of a mutating webhook.
pub fn mutate(ruleset: &Ruleset, review: &Review, environment: &Environment<'_>) -> Decision {
    decide(ruleset, review, &[Phase::Mutate], environment)
}

/// What the phases come to together, each about the object as the ones before left it.
pub fn decide(ruleset: &Ruleset, review: &Review, phases: &[Phase], environment: &Environment<'_>) -> Decision {
    let request = Request::admission(review.request.clone());
    let judgement = ruleset.judge(&request, &Door::Admission { phases, asked: review.asked }, environment);
    let complaints: Vec<_> = judgement.settled.iter().map(|settled| Complaint::of(settled, ruleset)).collect();
    let message = if judgement.allowed { String::new() } else { denial(&review.request, &complaints) };
    let warnings = warnings(&complaints);
    let annotations = record(&judgement, ruleset);
    let input_digest = review.digest.clone();
    let decision = ruleset.decision(Checkpoint::Admission, &request, judgement, environment);
    Decision { message, warnings, annotations, input_digest, ..decision }
}
