//! `palisade mutate`: documents as mutation policies would leave them, comments and order kept.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use palisade_document::{Document, edit};
use palisade_model::{Diagnostic, Source, Value, Verdict};
use palisade_policy::{Environment, PolicySet};
use similar::TextDiff;

use super::output::{replace, write_to};
use super::policies::{PolicyArgs, show};
use crate::args::Global;
use crate::config::Config;
use crate::judge::{Standing, request};
use crate::manifests::Manifests;
use crate::report::count;
use crate::{Exit, Failure, Outcome};
use palisade_policies::files::{self, Input, has_errors};
use palisade_policies::packs::Side;

/// Apply mutation policies to manifests, keeping comments and order
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Files or folders to change; `-` reads the standard input
    #[arg(value_name = "PATH", required = true)]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    policies: PolicyArgs,
    /// Write the changed files in place
    #[arg(long)]
    write: bool,
    /// Show what would change as a unified diff
    #[arg(long, conflicts_with = "write")]
    diff: bool,
}

/// A file before and after.
struct Change {
    input: Input,
    before: Arc<Source>,
    after: String,
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let config = Config::load(global)?;
    let policies = args.policies.load(&config, Side::Fixes, global)?;
    let variables = args.policies.variables(&config)?;
    let standing = args.policies.standing(false);
    let mut run = Run { diagnostics: policies.diagnostics, changes: Vec::new(), mutated: 0, rules: 0 };
    let (inputs, diagnostics) = files::inputs(&args.paths);
    run.diagnostics.extend(diagnostics);
    let cluster = Manifests::new(&inputs, &config.network);
    let environment = Environment::new(args.policies.now(), &cluster, &variables);
    for input in &inputs {
        let parsed = input.read();
        run.diagnostics.extend(parsed.diagnostics);
        run.file(input, &parsed.documents, &policies.set, &environment, &standing);
    }
    run.print(args)?;
    show(&run.diagnostics);
    Ok(run.conclude())
}

struct Run {
    diagnostics: Vec<Diagnostic>,
    changes: Vec<Change>,
    mutated: usize,
    rules: usize,
}

impl Run {
    /// Mutates the documents of one file.
    fn file(
        &mut self,
        input: &Input,
        documents: &[Document],
        policies: &PolicySet,
        environment: &Environment<'_>,
        standing: &Standing,
    ) {
        let Some(first) = documents.first() else { return };
        let mut edits: Vec<(Document, Value)> = Vec::new();
        for document in documents {
            let mutation = policies.mutate(&request(document, standing), environment);
            self.rules += mutation.outcomes.len();
            for (_, outcome) in mutation.outcomes.iter().filter(|(_, outcome)| outcome.verdict == Verdict::Error) {
                let message =
                    format!("rule `{}` could not mutate {}: {}", outcome.rule, document.resource(), outcome.message);
                let mut diagnostic = Diagnostic::error("PAL-P0003", message);
                if let Some(place) = document.resource().locate(&palisade_model::Path::from_pointer("/metadata/name")) {
                    diagnostic = diagnostic.at(place, "");
                }
                self.diagnostics.push(diagnostic);
            }
            if let Some(patched) = mutation.patched.filter(|patched| *patched != document.value) {
                edits.push((document.clone(), patched));
            }
        }
        self.mutated += edits.len();
        match edit::apply_all(&first.source, &edits) {
            Ok(after) => self.changes.push(Change { input: input.clone(), before: first.source.clone(), after }),
            Err(error) => self.diagnostics.push(
                Diagnostic::error(
                    "PAL-P0004",
                    format!("cannot write the mutation of `{}`: {error}", first.source.name()),
                )
                .help("please report this with the file; nothing was changed"),
            ),
        }
    }

    fn print(&self, args: &Args) -> Result<(), Failure> {
        let changed = self.changes.iter().filter(|change| change.after != **change.before.text());
        if args.write {
            for change in changed {
                let Input::File(path) = &change.input else {
                    return Err(Failure::new("the standard input cannot be written in place", "leave --write out"));
                };
                replace(path, |mut out| out.write_all(change.after.as_bytes()))?;
            }
            return Ok(());
        }
        write_to(None, |out| {
            if args.diff {
                changed.into_iter().try_for_each(|change| print_diff(change, out))
            } else {
                self.print_documents(out)
            }
        })
    }

    /// All files one after another, as one stream of documents.
    fn print_documents(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for (position, change) in self.changes.iter().enumerate() {
            if position > 0 && !change.after.trim_start().starts_with("---") {
                writeln!(out, "---")?;
            }
            out.write_all(change.after.as_bytes())?;
            if !change.after.ends_with('\n') {
                writeln!(out)?;
            }
        }
        Ok(())
    }

    fn conclude(&self) -> Outcome {
        let codes: BTreeMap<_, usize> = self.diagnostics.iter().fold(BTreeMap::new(), |mut codes, diagnostic| {
            *codes.entry(diagnostic.code).or_default() += 1;
            codes
        });
        let done = format!("{} of {} changed", count(self.mutated, "document"), count(self.changes.len(), "file"));
        if has_errors(&self.diagnostics) {
            let listed: Vec<_> = codes.iter().map(|(code, number)| format!("{number} {code}")).collect();
            return Outcome {
                exit: Exit::Undecided,
                reason: format!("could not decide: {}; {done}", listed.join(", ")),
            };
        }
        if self.rules == 0 {
            return Outcome {
                exit: Exit::Nothing,
                reason: "nothing was evaluated: no mutation rule selects any document".into(),
            };
        }
        Outcome { exit: Exit::Passed, reason: done }
    }
}

fn print_diff(change: &Change, out: &mut dyn Write) -> std::io::Result<()> {
    let name = change.before.name();
    let diff = TextDiff::from_lines(&**change.before.text(), &change.after);
    write!(out, "{}", diff.unified_diff().header(&format!("a/{name}"), &format!("b/{name}")))
}
