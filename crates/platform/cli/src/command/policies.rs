//! What `check` and `mutate` share: the policies to ask, and how documents are put before them.

use std::io::Write as _;
use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;
use palisade_kyverno::testing::values;
use palisade_model::Diagnostic;
use palisade_policy::{Operation, UserInfo, Variables};

use crate::args::Global;
use crate::config::Config;
use crate::judge::{OldObjects, Standing};
use crate::program_args::ProgramArgs;
use crate::{Failure, render};
use palisade_policies::Policies;
use palisade_policies::packs::{self, Side};
use palisade_runtime::Clock;

/// Which policies judge, and in what standing.
#[derive(Debug, Args)]
pub(crate) struct PolicyArgs {
    /// Policy files, folders or built-in packs (`pack:kubernetes/baseline`); may be repeated
    #[arg(short, long, value_name = "PATH", num_args = 1..)]
    pub(crate) policies: Vec<PathBuf>,
    /// Kyverno values file with variables that stand in for look-ups
    #[arg(long, value_name = "FILE")]
    pub(crate) values: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) programs: ProgramArgs,
    /// What happens to the objects: CREATE, UPDATE, DELETE or CONNECT [default: CREATE; UPDATE of what --old has]
    #[arg(long, value_name = "OPERATION")]
    pub(crate) operation: Option<Operation>,
    /// File or folder with the objects as they were before; may be repeated
    #[arg(long, value_name = "PATH")]
    pub(crate) old: Vec<PathBuf>,
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
    /// Loads the policies named here, else those of the configuration, else the built-in pack.
    pub(crate) fn load(&self, config: &Config, side: Side, global: &Global) -> Result<Policies, Failure> {
        let mut paths = named_paths(&self.policies, config);
        if paths.is_empty() {
            paths.push(packs::DEFAULT.into());
            if !global.quiet {
                say_default(side);
            }
        }
        let (paths, built_in) = packs::resolve(paths, side)?;
        Ok(palisade_policies::policies(&paths, built_in, &self.programs.options(), palisade_intake::threads(self.jobs)))
    }

    /// Variables from `--values`, else from the configuration.
    pub(crate) fn variables(&self, config: &Config) -> Result<Variables, Failure> {
        let file = self.values.clone().or_else(|| config.check.values.as_deref().map(|path| config.resolve(path)));
        let Some(file) = file else { return Ok(Variables::default()) };
        let parsed = palisade_intake::read(&file);
        let mut diagnostics: Vec<Diagnostic> = parsed.diagnostics;
        let mut variables = Variables::default();
        for document in &parsed.documents {
            diagnostics.extend(values::read(&document.resource(), &mut variables));
        }
        if palisade_intake::has_errors(&diagnostics) { Err(Failure::Input(diagnostics)) } else { Ok(variables) }
    }

    /// How documents are put before the policies, and what was wrong with the objects as they were before.
    pub(crate) fn standing(&self, keep_all: bool) -> (Standing, Vec<Diagnostic>) {
        let user = UserInfo {
            username: self.user.as_deref().unwrap_or_default().into(),
            groups: self.group.iter().map(|group| group.as_str().into()).collect(),
            ..UserInfo::default()
        };
        let (old, diagnostics) = OldObjects::read(&self.old);
        (Standing { operation: self.operation, old, user: user.authenticated(), keep_all }, diagnostics)
    }

    /// The moment of the decision.
    pub(crate) fn now(&self) -> Timestamp {
        self.now.unwrap_or_else(|| Clock::system().now())
    }
}

/// The policy paths of the command line, else those of the configuration, which start from its folder.
pub(super) fn named_paths(given: &[PathBuf], config: &Config) -> Vec<PathBuf> {
    if !given.is_empty() {
        return given.to_vec();
    }
    let resolve = |path: &PathBuf| if packs::is_selector(path) { path.clone() } else { config.resolve(path) };
    config.check.policies.iter().map(resolve).collect()
}

/// Whoever names no policies is told which ones speak.
fn say_default(side: Side) {
    let does = match side {
        Side::Rules => "judges",
        Side::Fixes => "gives the fixes",
    };
    let hint = format!(
        "hint: no policies are named, so the built-in pack `{0}` {does}; choose with `--policies {0}/baseline` or \
         `--policies FOLDER`, or under [check] in palisade.toml",
        packs::DEFAULT
    );
    let _ = writeln!(anstream::stderr().lock(), "{hint}\n");
}

/// Draws diagnostics on stderr. Where nobody takes them, the exit code still tells.
pub(crate) fn show(diagnostics: &[Diagnostic]) {
    let mut stderr = anstream::stderr().lock();
    for diagnostic in diagnostics {
        let _ = writeln!(stderr, "{}\n", render::diagnostic(diagnostic));
    }
}
