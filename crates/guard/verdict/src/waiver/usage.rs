//! Which waivers were of use in a run, and what is to be said of those that were not.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use palisade_model::{Diagnostic, Level, Waiver};

use super::{Stage, Waivers};
use crate::{Settled, codes};

/// The most waivers of a file that are listed one by one when they cover nothing.
const MAX_LISTED: usize = 5;

/// The most comparisons of files and waivers by which waivers for other files are told from unused ones.
const MAX_MATCHES: usize = 10_000_000;

/// Which granted waivers were about something: those that held, and those that would have.
#[derive(Debug, Default)]
pub struct Usage {
    held: BTreeSet<usize>,
    /// By waiver, how many violations it was about, and the first of them.
    expired: BTreeMap<usize, (usize, String)>,
}

impl Usage {
    /// Notes which waivers a finding in `file` met.
    pub fn note(&mut self, settled: &Settled, file: &str) {
        self.held.extend(settled.ruling.by);
        if let Some(index) = settled.ruling.expired {
            let first = || (0, format!("{} of `{file}`", settled.finding.resource));
            self.expired.entry(index).or_insert_with(first).0 += 1;
        }
    }

    /// Adds what another part of the run met.
    pub fn absorb(&mut self, other: Self) {
        self.held.extend(other.held);
        for (index, (times, first)) in other.expired {
            self.expired.entry(index).or_insert((0, first)).0 += times;
        }
    }

    /// What is to be said of `waivers` after a run at the moment `now` that judged `files`.
    pub fn review(&self, waivers: &Waivers, files: &[String], now: Timestamp) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        let mut unused = Vec::new();
        let mut matches_left = MAX_MATCHES;
        for (index, entry) in waivers.entries().iter().enumerate() {
            match (entry.stage(now), self.held.contains(&index)) {
                (Stage::Expired, _) => {
                    let (times, first) = self.expired.get(&index).map_or((0, ""), |(times, first)| (*times, first));
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

fn about(waiver: &Waiver, diagnostic: Diagnostic) -> Diagnostic {
    match &waiver.location {
        Some(location) => diagnostic.at(location.clone(), ""),
        None => diagnostic,
    }
}

pub(super) fn expired(waiver: &Waiver, broken: usize, first: &str) -> Diagnostic {
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

pub(super) fn ends_soon(waiver: &Waiver, days: i32) -> Diagnostic {
    let when = match days {
        0 => "today".to_owned(),
        1 => "tomorrow".to_owned(),
        _ => format!("in {days} days"),
    };
    let message = format!("the waiver of `{}` ends {when}, on {}", waiver.owner, waiver.expires);
    about(waiver, Diagnostic::new(codes::WAIVER_ENDS, Level::Note, message))
}

pub(super) fn unused(waiver: &Waiver, level: Level) -> Diagnostic {
    let message = format!("the waiver of `{}` covers nothing", waiver.owner);
    about(waiver, Diagnostic::new(codes::WAIVER_UNUSED, level, message))
        .help("delete it if the violation is mended, else correct the rule or the place that it names")
}
