//! `palisade mutate`: documents as mutation policies would leave them, comments and order kept, and what generation
//! policies would add to the cluster because of them.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use palisade_document::kind::Form;
use palisade_document::write::to_indented_yaml;
use palisade_document::{Document, edit};
use palisade_intake::kustomize::{Patches, has_directive};
use palisade_intake::{Claimed, Input, has_errors};
use palisade_model::{Diagnostic, Resource, Source, Value, Verdict};
use palisade_policies::packs::Side;
use palisade_policy::{Effect, Environment, Phase, RuleOutcome};
use palisade_verdict::waiver::Waivers;
use palisade_verdict::{Door, Ruleset, Sheet};
use similar::TextDiff;

use super::output::{replace, write_to};
use super::policies::{PolicyArgs, show};
use crate::adoption::Frame;
use crate::args::Global;
use crate::config::Config;
use crate::judge::Standing;
use crate::lookups::ManifestLookups;
use crate::report::count;
use crate::{Exit, Failure, Outcome};

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

/// An object that a policy would make in the cluster.
struct Generated {
    object: Value,
    /// The policy and the object that it would be made for.
    why: String,
}

/// What every document is put before.
struct Surroundings<'a> {
    ruleset: Ruleset,
    environment: Environment<'a>,
    manifests: &'a ManifestLookups<'a>,
    standing: &'a Standing,
    frame: Frame,
}

/// Runs the command.
pub(crate) fn run(args: &Args, global: &Global) -> Result<Outcome, Failure> {
    let config = Config::load(global)?;
    let policies = args.policies.load(&config, Side::Fixes, global)?;
    let variables = args.policies.variables(&config)?;
    let mut run = Run { diagnostics: policies.diagnostics, ..Run::default() };
    // What is filled in before it is read (charts, templates) is no manifest, even where it looks like one.
    let Claimed { inputs, diagnostics, .. } = palisade_intake::claimed(&args.paths);
    run.diagnostics.extend(diagnostics);
    let patches = Patches::of(&inputs);
    let lookups = ManifestLookups::new(&inputs, &config.network);
    let (standing, problems) = args.policies.standing(false);
    run.diagnostics.extend(problems);
    let surroundings = Surroundings {
        ruleset: Ruleset::new(policies.policies, config.overrides(), Waivers::default(), ""),
        environment: Environment::new(args.policies.now(), &lookups, &variables),
        manifests: &lookups,
        standing: &standing,
        frame: Frame::new(&config.root),
    };
    for input in inputs.iter().filter(|input| input.path().is_none_or(is_written)) {
        let contents = input.contents();
        let documents = contents.parsed.documents;
        run.diagnostics.extend(contents.parsed.diagnostics);
        if contents.kind.is_some_and(|kind| matches!(kind.form(), Form::Template(_))) {
            run.templates += 1;
        } else if patches.has(input) {
            run.patches += documents.len();
        } else {
            run.file(input, &documents, &surroundings);
        }
    }
    run.diagnostics.extend(lookups.told().into_iter().chain(standing.old.told()));
    run.print(args)?;
    show(&run.diagnostics);
    Ok(run.conclude())
}

#[derive(Default)]
struct Run {
    diagnostics: Vec<Diagnostic>,
    changes: Vec<Change>,
    generated: Vec<Generated>,
    mutated: usize,
    rules: usize,
    /// Documents that are parts of objects and left alone.
    patches: usize,
    /// Files that are filled in before they are read, and left alone.
    templates: usize,
}

impl Run {
    /// Mutates the documents of one file.
    fn file(&mut self, input: &Input, documents: &[Document], surroundings: &Surroundings<'_>) {
        let Some(first) = documents.first() else { return };
        let file = surroundings.frame.relative(&input.name());
        let mut edits: Vec<(Document, Value)> = Vec::new();
        for document in documents {
            if has_directive(&document.value) {
                self.patches += 1;
                continue;
            }
            let asked = match surroundings.standing.ask(document, surroundings.manifests) {
                Ok(asked) => asked,
                Err(diagnostic) => {
                    self.diagnostics.push(*diagnostic);
                    continue;
                }
            };
            let document = asked.about(document);
            let resource = document.resource();
            let door = Door::Files(Sheet::new(&[Phase::Mutate, Phase::Generate], &resource, &file));
            let answers = surroundings.ruleset.ask(&asked.request, &door, &surroundings.environment);
            for (index, outcome) in answers.outcomes {
                self.note(&resource, &outcome);
                let policy = surroundings.ruleset.references().get(index);
                if let (Effect::Generated(objects), Some(policy)) = (outcome.effect, policy) {
                    let why = || format!("{policy}/{} for {resource}", outcome.rule);
                    let objects = objects.iter().map(in_usual_order);
                    self.generated.extend(objects.map(|object| Generated { object, why: why() }));
                }
            }
            edits.extend(answers.patched.map(|patched| (document.clone(), patched)));
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

    /// Counts a rule that spoke and keeps what went wrong.
    fn note(&mut self, resource: &Resource, outcome: &RuleOutcome) {
        self.rules += 1;
        if outcome.verdict != Verdict::Error {
            return;
        }
        let verb = if outcome.phase == Phase::Mutate { "mutate" } else { "generate for" };
        let message = format!("rule `{}` could not {verb} {resource}: {}", outcome.rule, outcome.message);
        let mut diagnostic = Diagnostic::error("PAL-P0003", message);
        if let Some(place) = resource.locate(&palisade_model::Path::from_pointer("/metadata/name")) {
            diagnostic = diagnostic.at(place, "");
        }
        self.diagnostics.push(diagnostic);
    }

    fn print(&self, args: &Args) -> Result<(), Failure> {
        let changed = self.changes.iter().filter(|change| change.after != **change.before.text());
        if args.write {
            for change in changed {
                let Some(path) = change.input.path() else {
                    return Err(Failure::new("the standard input cannot be written in place", "leave --write out"));
                };
                replace(path, |mut out| out.write_all(change.after.as_bytes()))?;
            }
            return Ok(());
        }
        write_to(None, |out| {
            if args.diff {
                changed.into_iter().try_for_each(|change| print_diff(change, out))?;
                self.generated.iter().try_for_each(|generated| print_new(generated, out))
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
        for generated in &self.generated {
            write!(out, "---\n# generated by {}\n{}", generated.why, to_indented_yaml(&generated.object))?;
        }
        Ok(())
    }

    fn conclude(&self) -> Outcome {
        let codes: BTreeMap<_, usize> = self.diagnostics.iter().fold(BTreeMap::new(), |mut codes, diagnostic| {
            *codes.entry(diagnostic.code).or_default() += 1;
            codes
        });
        let mut done = format!("{} of {} changed", count(self.mutated, "document"), count(self.changes.len(), "file"));
        if !self.generated.is_empty() {
            done = format!("{done}; {} generated in the cluster", count(self.generated.len(), "object"));
        }
        for (number, one, several) in
            [(self.patches, "Kustomize patch", "Kustomize patches"), (self.templates, "template", "templates")]
        {
            if number > 0 {
                done = format!("{done}; {number} {} left alone", if number == 1 { one } else { several });
            }
        }
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
                reason: format!("nothing was evaluated: no mutation or generation rule selects any document; {done}"),
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

/// A generated object as a file that is new.
fn print_new(generated: &Generated, out: &mut dyn Write) -> std::io::Result<()> {
    let resource = Resource::in_memory(generated.object.clone());
    let name = format!("b/generated/{}", resource.to_string().replace([' ', '/'], "-").to_lowercase());
    let text = format!("# generated by {}\n{}", generated.why, to_indented_yaml(&generated.object));
    write!(out, "{}", TextDiff::from_lines("", &text).unified_diff().header("/dev/null", &format!("{name}.yaml")))
}

/// Whether documents of a file can be edited in its text: YAML and JSON.
fn is_written(path: &std::path::Path) -> bool {
    path.extension()
        .is_none_or(|extension| ["yaml", "yml", "json"].iter().any(|known| extension.eq_ignore_ascii_case(known)))
}

/// The object with the members first that people look for first.
fn in_usual_order(object: &Value) -> Value {
    let Some(members) = object.as_object() else { return object.clone() };
    let first = ["apiVersion", "kind", "metadata"];
    let (head, tail): (Vec<_>, Vec<_>) = members.iter().partition(|(key, _)| first.contains(&&***key));
    let mut head: Vec<_> = head;
    head.sort_by_key(|(key, _)| first.iter().position(|name| *name == &***key));
    Value::object(head.into_iter().chain(tail).map(|(key, value)| (key.clone(), value.clone())).collect())
}
