//! What `palisade init --ci` writes: a job for each CI system that the repository uses. Files of others are never
//! edited.

use std::path::Path;

use palisade_model::Value;

use super::survey::{Ci, Survey};

/// A file to be written, and what has to be done by hand so that it takes effect.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) path: &'static str,
    pub(super) text: String,
    pub(super) by_hand: Option<&'static str>,
}

const INSTALL: &str = concat!("cargo install --locked --git ", env!("CARGO_PKG_REPOSITORY"), " palisade");

impl Ci {
    /// What people call it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::GitHub => "GitHub Actions",
            Self::GitLab => "GitLab CI",
        }
    }

    /// The job that checks the repository.
    pub(super) fn job(self, survey: &Survey) -> Job {
        match self {
            Self::GitHub => Job { path: ".github/workflows/palisade.yml", text: github(survey), by_hand: None },
            Self::GitLab => Job {
                path: ".gitlab/palisade.gitlab-ci.yml",
                text: gitlab(survey),
                by_hand: Some("add `include: [{local: .gitlab/palisade.gitlab-ci.yml}]` to .gitlab-ci.yml"),
            },
        }
    }
}

/// The commands of a job: the repository's own manifests, then every chart as it is rendered.
fn commands(survey: &Survey, report: &str) -> Vec<String> {
    let mut commands = Vec::new();
    if !survey.manifests.is_empty() {
        commands.push(format!("palisade check {report}"));
    }
    commands.extend(survey.charts.iter().map(|chart| render(chart)));
    commands
}

/// Renders a chart and judges the result; a folder's name must not become shell or YAML.
fn render(chart: &Path) -> String {
    let quoted = chart.display().to_string().replace('\'', "'\\''");
    Value::from(format!("helm template '{quoted}' | palisade check -")).to_json()
}

fn github(survey: &Survey) -> String {
    let run = |command: String| format!("      - run: {command}\n");
    let runs: String = commands(survey, "--format github --report sarif=palisade.sarif").into_iter().map(run).collect();
    let upload = if survey.manifests.is_empty() {
        ""
    } else {
        "      - uses: github/codeql-action/upload-sarif@v4
        if: ${{ !cancelled() }}
        with:
          sarif_file: palisade.sarif
          category: palisade
"
    };
    format!(
        "name: palisade
on:
  pull_request:
  push:
    branches: [main]
permissions: {{}}
jobs:
  check:
    runs-on: ubuntu-latest
    permissions:
      actions: read
      contents: read
      security-events: write
    defaults:
      run:
        shell: bash # with pipefail, so that a chart that cannot be rendered fails the job
    steps:
      - uses: actions/checkout@v4
        with:
          persist-credentials: false
      - run: {INSTALL}
{runs}{upload}"
    )
}

fn gitlab(survey: &Survey) -> String {
    let line = |command: String| format!("    - {command}\n");
    let script: String =
        commands(survey, "--report gitlab=gl-code-quality-report.json").into_iter().map(line).collect();
    let artifacts = if survey.manifests.is_empty() {
        ""
    } else {
        "  artifacts:
    when: always
    reports:
      codequality: gl-code-quality-report.json
"
    };
    format!(
        "palisade:
  stage: test
  image: rust:1
  before_script:
    - set -o pipefail
    - {INSTALL}
  script:
{script}{artifacts}"
    )
}
