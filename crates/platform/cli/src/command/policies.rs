//! What `check` and `mutate` share: the policies to ask, and how documents are put before them.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use palisade_kyverno::testing::values;
use palisade_model::Diagnostic;
use palisade_policy::{Operation, UserInfo, Variables};

use crate::config::Config;
use crate::input::{self, Policies};
use crate::judge::Standing;
use crate::{Failure, render};

/// Which policies judge, and in what standing.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// Policy files or folders; may be repeated
    #[arg(short, long, value_name = "PATH", num_args = 1..)]
    pub(crate) policies: Vec<PathBuf>,
    /// Kyverno values file with variables that stand in for look-ups
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Option<PathBuf>,
    /// What happens to the objects: CREATE, UPDATE, DELETE or CONNECT
    #[arg(long, value_name = "OPERATION", default_value = "CREATE")]
    pub(crate) operation: Operation,
    /// User who asks, for policies that look at the requester
    #[arg(long, value_name = "NAME")]
    pub(crate) user: Option<String>,
    /// Group of the user; may be repeated
    #[arg(long, value_name = "NAME")]
    pub(crate) group: Vec<String>,
    /// The moment of the decision, for policies that look at the clock; by default now
    #[arg(long, value_name = "RFC3339")]
    pub(crate) now: Option<Timestamp>,
    /// Threads; by default one per core
    #[arg(short, long, value_name = "N")]
    pub(crate) jobs: Option<usize>,
}

impl PolicyArgs {
    /// Loads the policies named here, else those of the configuration.
    pub(crate) fn load(&self, config: &Config) -> Result<Policies, Failure> {
        let mut paths = self.policies.clone();
        if paths.is_empty() {
            paths = config.check.policies.iter().map(|path| config.resolve(path)).collect();
        }
        if paths.is_empty() {
            return Err(Failure::new(
                "no policies to judge by",
                "name files or folders with --policies, or list them under [check] in palisade.toml",
            ));
        }
        Ok(input::policies(&paths, input::threads(self.jobs)))
    }

    /// Variables from `--values`, else from the configuration.
    pub(crate) fn variables(&self, config: &Config) -> Result<Variables, Failure> {
        let file = self.values.clone().or_else(|| config.check.values.as_deref().map(|path| config.resolve(path)));
        let Some(file) = file else { return Ok(Variables::default()) };
        let parsed = input::read(&file);
        let mut diagnostics: Vec<Diagnostic> = parsed.diagnostics;
        let mut variables = Variables::default();
        for document in &parsed.documents {
            diagnostics.extend(values::read(&document.resource(), &mut variables));
        }
        if input::has_errors(&diagnostics) { Err(Failure::Input(diagnostics)) } else { Ok(variables) }
    }

    /// How documents are put before the policies.
    pub(crate) fn standing(&self, keep_all: bool) -> Standing {
        let user = UserInfo {
            username: self.user.as_deref().unwrap_or_default().into(),
            groups: self.group.iter().map(|group| group.as_str().into()).collect(),
            ..UserInfo::default()
        };
        Standing { operation: self.operation, user, keep_all }
    }

    /// The moment of the decision.
    pub(crate) fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(Timestamp::now)
    }
}

/// Draws diagnostics on stderr. Where nobody takes them, the exit code still tells.
pub(crate) fn show(diagnostics: &[Diagnostic]) {
    let mut stderr = anstream::stderr().lock();
    for diagnostic in diagnostics {
        let _ = writeln!(stderr, "{}\n", render::diagnostic(diagnostic));
    }
}
