//! `random`: text that matches a regular expression.
//!
//! The choices come from the run's seed, so that a replay draws the same text; two calls of one run differ because
//! the steps left differ.

use palisade_gotext::random_text::Pattern;

use super::{Answer, Arguments};

pub(super) fn random(arguments: &Arguments<'_>) -> Answer {
    let pattern = arguments.text(0)?;
    if pattern.is_empty() {
        return Err(arguments.error("takes a pattern, not an empty text"));
    }
    arguments.charge(pattern.len())?;
    let runtime = arguments.runtime();
    let seed = runtime.seed ^ runtime.steps.left().rotate_left(32);
    let pattern = Pattern::parse(pattern).map_err(|error| arguments.error(format_args!("failed: {error}")))?;
    pattern.draw(seed, &mut || arguments.charge(1)).map(Into::into)
}
