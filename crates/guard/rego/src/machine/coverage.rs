//! Which lines of the policies were evaluated, in the terms of `opa test --coverage`.
//!
//! A line is covered when an expression that begins on it was evaluated, or a definition that begins on it had a
//! solution. Lines with neither expressions nor definitions do not count.

use std::collections::{BTreeMap, BTreeSet};

use palisade_model::{Map, Value};

use super::Observer;
use crate::plan::{Place, Program, RuleId};

/// Remembers what was evaluated; one for any number of evaluations of one instrumented program.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    expressions: BTreeSet<u32>,
    definitions: BTreeSet<(u32, u32)>,
}

impl Observer for Coverage {
    fn exited(&mut self, _rule: RuleId, definition: Place) {
        self.definitions.insert((definition.source, definition.span.start));
    }

    fn expression_entered(&mut self, number: u32) {
        self.expressions.insert(number);
    }
}

/// Lines of one file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// Lines that were evaluated.
    pub covered: BTreeSet<usize>,
    /// Lines that were not.
    pub not_covered: BTreeSet<usize>,
}

/// Lines of all files, by their names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Files by name.
    pub files: BTreeMap<String, Lines>,
}

impl Coverage {
    /// Adds what another one remembers of the same program.
    pub fn merge(&mut self, other: &Self) {
        self.expressions.extend(&other.expressions);
        self.definitions.extend(&other.definitions);
    }

    /// The lines of all files of the program.
    pub fn report(&self, program: &Program) -> Report {
        let mut report = Report::default();
        for (number, place) in program.expressions.iter().enumerate() {
            let hit = u32::try_from(number).is_ok_and(|number| self.expressions.contains(&number));
            report.count(program, *place, hit);
        }
        for rule in &program.rules {
            for definition in rule.definitions.iter().chain(&rule.default) {
                let place = definition.place;
                report.count(program, place, self.definitions.contains(&(place.source, place.span.start)));
            }
        }
        for lines in report.files.values_mut() {
            let covered = &lines.covered;
            lines.not_covered.retain(|line| !covered.contains(line));
        }
        report
    }
}

impl Lines {
    fn counts(&self) -> (usize, usize) {
        (self.covered.len(), self.not_covered.len())
    }
}

impl Report {
    fn count(&mut self, program: &Program, place: Place, hit: bool) {
        let Some(source) = program.sources.get(place.source as usize) else { return };
        let line = source.position(place.span.start as usize).line;
        let lines = self.files.entry(source.name().to_owned()).or_default();
        if hit {
            lines.covered.insert(line)
        } else {
            lines.not_covered.insert(line)
        };
    }

    /// The share of covered lines in percent, to two digits.
    pub fn percentage(&self) -> f64 {
        percentage(self.total())
    }

    fn total(&self) -> (usize, usize) {
        self.files.values().map(Lines::counts).fold((0, 0), |sum, (covered, not)| (sum.0 + covered, sum.1 + not))
    }

    /// As `opa test --coverage` prints it.
    pub fn to_json(&self) -> Value {
        let files = self.files.iter().map(|(name, lines)| {
            let mut file = Map::new();
            for (key, lines) in [("covered", &lines.covered), ("not_covered", &lines.not_covered)] {
                if !lines.is_empty() {
                    file.insert(key, ranges(lines));
                }
            }
            summarize(&mut file, lines.counts());
            (name.as_str().into(), Value::object(file))
        });
        let mut report = Map::new();
        report.insert("files", Value::object(files.collect()));
        summarize(&mut report, self.total());
        Value::object(report)
    }
}

fn summarize(map: &mut Map, counts: (usize, usize)) {
    for (key, count) in [("covered_lines", counts.0), ("not_covered_lines", counts.1)] {
        if count > 0 {
            map.insert(key, number(count));
        }
    }
    map.insert("coverage", percentage(counts));
}

fn percentage((covered, not_covered): (usize, usize)) -> f64 {
    match covered + not_covered {
        0 => 0.0,
        all => (covered as f64 / all as f64 * 10_000.0).round() / 100.0,
    }
}

fn number(count: usize) -> Value {
    Value::Int(i64::try_from(count).unwrap_or(i64::MAX))
}

/// Consecutive lines as ranges.
fn ranges(lines: &BTreeSet<usize>) -> Value {
    let mut ranges: Vec<(usize, usize)> = Vec::new();
    for line in lines {
        match ranges.last_mut() {
            Some((_, end)) if *end + 1 == *line => *end = *line,
            _ => ranges.push((*line, *line)),
        }
    }
    let row = |line: usize| Value::object(Map::from_iter([("row".into(), number(line))]));
    let range = |(start, end)| Value::object(Map::from_iter([("start".into(), row(start)), ("end".into(), row(end))]));
    Value::array(ranges.into_iter().map(range).collect::<Vec<_>>())
}
