//! What a repository has agreed on beside its policies: overrides, waivers, a baseline.
//!
//! [`Agreement`] is put together once per run and asked by every worker. A violation that does not count is kept and
//! marked, never dropped; what could not be evaluated always counts. Deliberately absent: the rules of matching, which
//! are `palisade_policy`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use jiff::Timestamp;
use palisade_document::Document;
use palisade_model::{Diagnostic, Disposition, Finding, Level, Resource, Severity, Verdict, Waiver};
use palisade_policy::{Policy, PolicySet};
use palisade_verdict::codes;
use palisade_verdict::selection::{Mode, Overrides, Settings, Subject, names_rule};
use palisade_verdict::waiver::{Stage, Waivers};

use crate::config::Config;

mod baseline;
mod frame;
mod inline;

pub(crate) use baseline::{KnownFindings, accept, fixed};
pub(crate) use frame::Frame;
pub(crate) use inline::InlineWaivers;

/// The most waivers of a file that are listed one by one when they cover nothing.
const MAX_LISTED: usize = 5;

/// The most comparisons of files and waivers by which waivers for other files are told from unused ones.
const MAX_MATCHES: usize = 10_000_000;

/// What the repository has agreed on.
#[derive(Debug)]
pub(crate) struct Agreement {
    /// How rules are enforced where.
    pub(crate) overrides: Overrides,
    /// The waivers of the waiver file.
    pub(crate) waivers: Waivers,
    /// Where paths start from.
    pub(crate) frame: Frame,
    /// The moment at which waivers are read.
    pub(crate) now: Timestamp,
    /// Whether every offending field needs an identity, for a baseline.
    pub(crate) parts: bool,
}

/// Which waivers of the file were about something: those that held, and those that would have.
#[derive(Debug, Default)]
pub(crate) struct Use {
    held: BTreeSet<usize>,
    /// By waiver, how many violations it was about, and the first of them.
    expired: BTreeMap<usize, (usize, String)>,
}

impl Use {
    pub(crate) fn absorb(&mut self, other: Self) {
        self.held.extend(other.held);
        for (index, (times, first)) in other.expired {
            self.expired.entry(index).or_insert((0, first)).0 += times;
        }
    }
}

impl Agreement {
    /// The waivers in the documents of one file.
    pub(crate) fn inline(&self, documents: &[Document]) -> InlineWaivers {
        InlineWaivers::read(documents, self.now)
    }

    /// Whether some rule may not be asked somewhere.
    fn has_off(&self) -> bool {
        self.overrides.0.iter().any(|entry| entry.mode == Some(Mode::Off))
    }

    /// Whether no rule of the policy is asked about the object.
    fn is_off(&self, policy: &dyn Policy, resource: &Resource, file: &str) -> bool {
        let mut rules = policy.rules().iter().map(|rule| &*rule.name).peekable();
        let off = |rule: &str| {
            let subject = Subject { policy: policy.reference(), rule, resource, file };
            self.overrides.settings(&subject).mode == Some(Mode::Off)
        };
        if rules.peek().is_none() { off("") } else { rules.all(off) }
    }

    /// The policies that are asked about the object, with their places in the set; none where that is all of them.
    pub(crate) fn switched_on(
        &self,
        policies: &PolicySet,
        resource: &Resource,
        file: &str,
    ) -> Option<(Vec<usize>, PolicySet)> {
        if !self.has_off() {
            return None;
        }
        let is_on = |policy: &Arc<dyn Policy>| !self.is_off(&**policy, resource, file);
        let policies = policies.policies().iter().cloned().enumerate();
        let (places, on): (_, Vec<_>) = policies.filter(|(_, policy)| is_on(policy)).unzip();
        Some((places, PolicySet::new(on)))
    }

    /// What the configuration says of a violation.
    pub(crate) fn settings(&self, subject: &Subject<'_>) -> Settings {
        if self.overrides.is_empty() { Settings::default() } else { self.overrides.settings(subject) }
    }

    /// Settles a finding that no waiver of its own file covers: waiver file first, then the mode.
    pub(crate) fn settle(&self, finding: &mut Finding, subject: &Subject<'_>, settings: Settings, usage: &mut Use) {
        apply(finding, settings);
        if !matches!(finding.verdict, Verdict::Fail | Verdict::Warn) || !finding.disposition.counts() {
            return;
        }
        if let Some(waiver) = self.waiver(finding, subject, usage) {
            finding.disposition = Disposition::Waived(waiver);
        } else if settings.mode == Some(Mode::Audit) {
            finding.disposition = Disposition::Audited;
        }
    }

    fn waiver(&self, finding: &Finding, subject: &Subject<'_>, usage: &mut Use) -> Option<Arc<Waiver>> {
        if self.waivers.is_empty() {
            return None;
        }
        let ruling = self.waivers.rule(subject, finding.fingerprint);
        if let Some(index) = ruling.expired {
            let first = || (0, format!("{} of `{}`", finding.resource, subject.file));
            usage.expired.entry(index).or_insert_with(first).0 += 1;
        }
        let index = ruling.by?;
        usage.held.insert(index);
        Some(self.waivers.entries().get(index)?.waiver.clone())
    }

    /// What is to be said of the waiver file after a run that judged `files`.
    pub(crate) fn review(&self, usage: &Use, files: &[String]) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        let mut unused = Vec::new();
        let mut matches_left = MAX_MATCHES;
        for (index, entry) in self.waivers.entries().iter().enumerate() {
            match (entry.stage, usage.held.contains(&index)) {
                (Stage::Expired, _) => {
                    let (times, first) = usage.expired.get(&index).map_or((0, ""), |(times, first)| (*times, first));
                    diagnostics.push(expired(&entry.waiver, times, first));
                }
                (Stage::EndsSoon(days), true) => diagnostics.push(ends_soon(&entry.waiver, days)),
                (Stage::Valid, true) => {}
                (_, false) => {
                    let relevant = files.iter().any(|file| {
                        matches_left = matches_left.saturating_sub(1);
                        matches_left == 0 || entry.selector.selects_file(file)
                    });
                    unused.extend(Some(&entry.waiver).filter(|_| relevant));
                }
            }
        }
        diagnostics.extend(unused.iter().take(MAX_LISTED).map(|waiver| self::unused(waiver, Level::Note)));
        if unused.len() > MAX_LISTED {
            let message = format!("{} more waivers cover nothing in this run", unused.len() - MAX_LISTED);
            let help = "delete the ones whose violations are mended; a run over the whole repository shows which";
            diagnostics.push(Diagnostic::new(codes::WAIVER_UNUSED, Level::Note, message).help(help));
        }
        diagnostics
    }
}

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

/// Severity and mode of the configuration, where it has a word to say.
fn apply(finding: &mut Finding, settings: Settings) {
    let severity: Severity = settings.severity.unwrap_or(finding.severity);
    finding.severity = severity;
    finding.verdict = match (finding.verdict, settings.mode) {
        (Verdict::Warn, Some(Mode::Enforce)) => Verdict::Fail,
        (Verdict::Fail, Some(Mode::Warn)) => Verdict::Warn,
        (verdict, _) => verdict,
    };
}

fn about(waiver: &Waiver, diagnostic: Diagnostic) -> Diagnostic {
    match &waiver.location {
        Some(location) => diagnostic.at(location.clone(), ""),
        None => diagnostic,
    }
}

fn expired(waiver: &Waiver, broken: usize, first: &str) -> Diagnostic {
    let covered = match (broken, first) {
        (0, _) => "it covers nothing any more".to_owned(),
        (1, "") => "the finding that it covered counts again".to_owned(),
        (_, "") => format!("{broken} findings that it covered count again"),
        (1, first) => format!("what it covered counts again: {first}"),
        (_, first) => format!("what it covered counts again: {first} and {} more", broken - 1),
    };
    let message = format!("the waiver of `{}` expired on {}: {covered}", waiver.owner, waiver.expires);
    let help = match broken {
        0 => "delete it",
        _ => "mend what it covered, or agree on a new day with its owner",
    };
    about(waiver, Diagnostic::warning(codes::WAIVER_EXPIRED, message)).help(help)
}

fn ends_soon(waiver: &Waiver, days: i32) -> Diagnostic {
    let when = match days {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        _ => format!("in {days} days"),
    };
    let message = format!("the waiver of `{}` ends {when}, on {}", waiver.owner, waiver.expires);
    about(waiver, Diagnostic::new(codes::WAIVER_ENDS, Level::Note, message))
}

fn unused(waiver: &Waiver, level: Level) -> Diagnostic {
    let message = format!("the waiver of `{}` covers nothing", waiver.owner);
    about(waiver, Diagnostic::new(codes::WAIVER_UNUSED, level, message))
        .help("delete it if the violation is mended, else correct the rule or the place that it names")
}
