//! JUnit XML, as CI systems read test results: a suite per policy, a case per rule and resource.

use std::collections::BTreeMap;
use std::io::{self, Write};

use palisade_model::{Finding, Verdict};
use quick_junit::{NonSuccessKind, Report as JUnit, TestCase, TestCaseStatus, TestSuite};

use super::{FailOn, Report};
use crate::render::facts;

pub(super) fn write(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    let mut suites: BTreeMap<String, TestSuite> = BTreeMap::new();
    for finding in &report.findings {
        let name = finding.policy.to_string();
        suites.entry(name.clone()).or_insert_with(|| TestSuite::new(name)).add_test_case(case(finding, report.fail_on));
    }
    if !report.diagnostics.is_empty() {
        let mut suite = TestSuite::new("input");
        for diagnostic in &report.diagnostics {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_message(diagnostic.to_string()).set_type(diagnostic.code);
            suite.add_test_case(TestCase::new(diagnostic.code, status));
        }
        suites.insert("\u{0}input".into(), suite);
    }
    let mut junit = JUnit::new("palisade");
    junit.add_test_suites(suites.into_values());
    junit.serialize(&mut *out).map_err(io::Error::other)?;
    writeln!(out)
}

fn case(finding: &Finding, fail_on: FailOn) -> TestCase {
    let mut status = match finding.verdict {
        _ if !finding.disposition.counts() => TestCaseStatus::skipped(),
        Verdict::Pass | Verdict::Warn => TestCaseStatus::success(),
        Verdict::Skip => TestCaseStatus::skipped(),
        Verdict::Fail if !fail_on.includes(finding) => TestCaseStatus::success(),
        Verdict::Fail => TestCaseStatus::non_success(NonSuccessKind::Failure),
        Verdict::Error => TestCaseStatus::non_success(NonSuccessKind::Error),
    };
    let place = finding.location.as_ref().map(|location| format!("{location}: ")).unwrap_or_default();
    let message = format!("{place}{}{}", finding.message, facts(finding));
    // A success has no message, so that what does not fail the run is told as output.
    let aside = matches!(status, TestCaseStatus::Success { .. }) && finding.verdict != Verdict::Pass;
    if finding.verdict != Verdict::Pass {
        status.set_message(message.clone()).set_type(finding.severity.to_string());
    }
    let mut case = TestCase::new(format!("{} {}", finding.rule, finding.resource), status);
    if aside {
        case.set_system_out(format!("{} severity: {message}", finding.severity));
    }
    case.set_classname(finding.policy.to_string());
    case
}
