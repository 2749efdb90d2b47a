//! What happened in an evaluation, line by line, as `opa eval --explain full` tells it.

use std::fmt::Write;

use super::Observer;
use crate::plan::{Place, Program, RuleId};

/// The most events kept; what comes after is only counted.
const MAX_EVENTS: usize = 100_000;

/// Remembers the events of an evaluation of an instrumented program.
#[derive(Clone, Debug, Default)]
pub struct Trace {
    events: Vec<(usize, Event)>,
    depth: usize,
    dropped: usize,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Event {
    Enter(RuleId, Place),
    Exit(RuleId, Place),
    Leave(RuleId, Place),
    Evaluate(u32),
    Fail(u32),
    Note(Place, String),
}

impl Trace {
    fn add(&mut self, event: Event) {
        if self.events.len() < MAX_EVENTS {
            self.events.push((self.depth, event));
        } else {
            self.dropped += 1;
        }
    }

    /// A line for each event: where, how deep, what.
    pub fn render(&self, program: &Program) -> String {
        let mut text = String::new();
        for (depth, event) in &self.events {
            let (verb, place, what) = describe(program, event);
            let location = place.map(|place| location(program, place)).unwrap_or_default();
            writeln!(text, "{location:<24} {}{verb} {what}", "| ".repeat(*depth)).unwrap_or_default();
        }
        if self.dropped > 0 {
            writeln!(text, "... and {} more events", self.dropped).unwrap_or_default();
        }
        text
    }
}

impl Observer for Trace {
    fn entered(&mut self, rule: RuleId, definition: Place) {
        self.add(Event::Enter(rule, definition));
        self.depth += 1;
    }

    fn exited(&mut self, rule: RuleId, definition: Place) {
        self.depth = self.depth.saturating_sub(1);
        self.add(Event::Exit(rule, definition));
    }

    fn failed(&mut self, rule: RuleId, definition: Place) {
        self.depth = self.depth.saturating_sub(1);
        self.add(Event::Leave(rule, definition));
    }

    fn expression_entered(&mut self, number: u32) {
        self.add(Event::Evaluate(number));
    }

    fn expression_failed(&mut self, number: u32) {
        self.add(Event::Fail(number));
    }

    fn print(&mut self, place: Place, text: &str) {
        self.add(Event::Note(place, text.to_owned()));
    }
}

fn describe(program: &Program, event: &Event) -> (&'static str, Option<Place>, String) {
    let rule = |rule: RuleId| {
        let rule = program.rules.get(rule as usize);
        rule.map(|rule| format!("data.{}", rule.path.join("."))).unwrap_or_default()
    };
    let expression = |number: u32| program.expressions.get(number as usize).copied();
    match event {
        Event::Enter(id, place) => ("Enter", Some(*place), rule(*id)),
        Event::Exit(id, place) => ("Exit", Some(*place), rule(*id)),
        Event::Leave(id, place) => ("Fail", Some(*place), rule(*id)),
        Event::Evaluate(number) => ("Eval", expression(*number), source_text(program, expression(*number))),
        Event::Fail(number) => ("Fail", expression(*number), source_text(program, expression(*number))),
        Event::Note(place, text) => ("Note", Some(*place), format!("{text:?}")),
    }
}

/// What is written at a place, in one line.
fn source_text(program: &Program, place: Option<Place>) -> String {
    let text = place.and_then(|place| Some(program.sources.get(place.source as usize)?.slice(place.span)));
    text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ")
}

fn location(program: &Program, place: Place) -> String {
    let source = program.sources.get(place.source as usize);
    let line = |place: Place| source.map(|source| source.position(place.span.start as usize).line);
    source.zip(line(place)).map(|(source, line)| format!("{}:{line}", source.name())).unwrap_or_default()
}
