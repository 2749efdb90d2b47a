//! What a repository has agreed on, as its files say it: paths, the baseline, the names in its configuration.
//!
//! Deliberately absent: what agreements make of a verdict, which is `palisade-verdict`'s.

use std::sync::Arc;

use palisade_model::Diagnostic;
use palisade_policy::Policy;
use palisade_verdict::codes;
use palisade_verdict::selection::names_rule;

use crate::config::Config;

mod baseline;
mod frame;

pub(crate) use baseline::{KnownFindings, accept, fixed, vague};
pub(crate) use frame::Frame;

/// The names in `[severity]` and `[[override]]` that no policy has.
pub(crate) fn unknown_names(config: &Config, policies: &[Arc<dyn Policy>]) -> Vec<Diagnostic> {
    let known = |pattern: &str| {
        policies.iter().any(|policy| {
            let names = |rule: &str| names_rule(pattern, policy.reference(), rule);
            names("") || policy.rules().iter().any(|rule| names(&rule.name))
        })
    };
    let unknown = config.named_policies().filter(|name| !known(name.get_ref()));
    let diagnostic = |name: &palisade_config::Spanned<String>| {
        let message = format!("no loaded policy or rule is called `{}`", name.get_ref());
        let diagnostic = Diagnostic::warning(codes::OVERRIDE_UNUSED, message);
        let diagnostic = match config.locate(name) {
            Some(location) => diagnostic.at(location, "changes nothing"),
            None => diagnostic,
        };
        diagnostic.help("`palisade list rules` shows the names")
    };
    unknown.map(diagnostic).collect()
}
