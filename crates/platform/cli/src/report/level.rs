//! How loudly a finding is shown: whatever draws one as an error says that it fails the run, so that both follow one rule.

use std::str::FromStr;

use palisade_model::{Finding, Level, Severity, Verdict};

/// What fails a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailOn {
    Never,
    AtLeast(Severity),
}

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.eq_ignore_ascii_case("never") {
            return Ok(Self::Never);
        }
        text.parse().map(Self::AtLeast).map_err(|why: String| format!("{why}, or `never`"))
    }
}

impl FailOn {
    /// Whether a finding fails the run.
    pub(crate) fn includes(self, finding: &Finding) -> bool {
        finding.disposition.counts()
            && finding.verdict == Verdict::Fail
            && matches!(self, Self::AtLeast(severity) if finding.severity >= severity)
    }

    /// The level of a finding in a report.
    pub(crate) fn level(self, finding: &Finding) -> Level {
        match finding.verdict {
            Verdict::Error => Level::Error,
            Verdict::Fail if self.includes(finding) => Level::Error,
            Verdict::Fail if finding.disposition.counts() && finding.severity >= Severity::Medium => Level::Warning,
            Verdict::Warn => Level::Warning,
            Verdict::Fail | Verdict::Pass | Verdict::Skip => Level::Note,
        }
    }

    /// The level of findings that are shown together: that of the worst.
    pub(crate) fn worst(self, findings: &[&Finding]) -> Level {
        let levels = || findings.iter().map(|finding| self.level(finding));
        let has = |level| levels().any(|one| one == level);
        [Level::Error, Level::Warning].into_iter().find(|level| has(*level)).unwrap_or(Level::Note)
    }
}
