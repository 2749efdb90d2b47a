//! Packages as policies, by Conftest's conventions: a package whose rules are called `deny`, `violation` or `warn`
//! (also with a suffix, `deny_privileged`) judges whatever document is its `input`; `exception` names suffixes of rules
//! that do not hold for it (<https://www.conftest.dev>).
//!
//! Every definition of such a rule is a rule of its own here, so that a finding points at the lines that spoke and
//! carries that definition's metadata (severity, remediation, controls).
//!
//! Packages below `kubernetes.admission` see an AdmissionReview instead of the object, as OPA's own webhook has it.
//! Deliberately absent: Gatekeeper's templates, which are a crate of their own.

mod engine;
mod load;
mod meta;
mod package;
mod result;

pub use engine::Engine;
pub use load::{LANGUAGE, modules};

use palisade_policy::Enforcement;

/// What a rule's name says of its answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CheckKind {
    /// `deny`, `violation`.
    Deny,
    /// `warn`.
    Warn,
}

impl CheckKind {
    /// The kind and the suffix of a check, such as `(Deny, "privileged")` of `deny_privileged`.
    pub(crate) fn of(name: &str) -> Option<(Self, &str)> {
        let kinds = [("deny", Self::Deny), ("violation", Self::Deny), ("warn", Self::Warn)];
        kinds.into_iter().find_map(|(word, kind)| {
            let rest = name.strip_prefix(word)?;
            let suffix =
                if rest.is_empty() { rest } else { rest.strip_prefix('_').filter(|suffix| well_formed(suffix))? };
            Some((kind, suffix))
        })
    }

    /// What a violation leads to at admission.
    pub(crate) const fn enforcement(self) -> Enforcement {
        match self {
            Self::Deny => Enforcement::Enforce,
            Self::Warn => Enforcement::Warn,
        }
    }
}

/// Words of letters and digits between single underscores.
fn well_formed(suffix: &str) -> bool {
    suffix.split('_').all(|word| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests;
