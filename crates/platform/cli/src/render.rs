//! Diagnostics and findings drawn as rustc draws its own: a title, the lines in question, what to do.

use std::borrow::Cow;

use crate::report::group_id;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use palisade_model::{Diagnostic, Disposition, Finding, Location, Verdict};

/// The longest excerpt of one line that is shown, in bytes; minified files have lines of megabytes.
const MAX_EXCERPT: usize = 200;

/// A diagnostic with its excerpts.
pub(crate) fn diagnostic(diagnostic: &Diagnostic) -> String {
    let level = drawn(diagnostic.level);
    let excerpts: Vec<_> =
        diagnostic.labels.iter().map(|label| (Excerpt::of(&label.location), visible(&label.text))).collect();
    let help: Vec<_> = diagnostic.help.iter().map(|help| visible(help)).collect();
    let mut group = Group::with_title(level.primary_title(visible(&diagnostic.message)).id(diagnostic.code));
    for (position, (excerpt, text)) in excerpts.iter().enumerate() {
        let kind = if position == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        group = group.element(excerpt.snippet(kind, text));
    }
    for help in &help {
        group = group.element(Level::HELP.message(&**help));
    }
    render(&[group])
}

fn drawn(level: palisade_model::Level) -> Level<'static> {
    match level {
        palisade_model::Level::Note => Level::NOTE,
        palisade_model::Level::Warning => Level::WARNING,
        palisade_model::Level::Error => Level::ERROR,
    }
}

/// Findings of one rule: what it says, the offending lines of the first `shown`, where the others are, the remedy.
pub(crate) fn findings(findings: &[&Finding], shown: usize, level: palisade_model::Level) -> String {
    let Some(first) = findings.first() else { return String::new() };
    let level = drawn(level);
    let prefix = if first.verdict == Verdict::Error { "could not be evaluated: " } else { "" };
    let same = findings.iter().all(|finding| finding.message == first.message);
    let title = if same {
        format!("{prefix}{}", visible(&first.message))
    } else {
        format!("{prefix}{} violations", findings.len())
    };
    let excerpts: Vec<_> = findings.iter().take(shown).flat_map(|finding| labelled(finding, same)).collect();
    let mut group = Group::with_title(level.primary_title(title).id(group_id(first)));
    for (excerpt, label, kind) in &excerpts {
        group = group.element(excerpt.snippet(*kind, label));
    }
    for finding in findings.iter().take(shown).filter(|finding| finding.location.is_none()) {
        let message = if same { String::new() } else { format!(": {}", visible(&finding.message)) };
        group = group.element(Level::NOTE.message(format!("in {}{message}{}", subject(finding), facts(finding))));
    }
    if let Some(rest) = findings.get(shown..).filter(|rest| !rest.is_empty()) {
        group = group.element(Level::NOTE.message(elsewhere(rest)));
    }
    group = group.element(Level::NOTE.message(rule_note(first)));
    if let Some(remediation) = &first.remediation {
        group = group.element(Level::HELP.message(visible(remediation)));
    }
    if let Disposition::Waived(waiver) = &first.disposition {
        let text = format!("waived by {} until {}: {}", waiver.owner, waiver.expires, waiver.reason);
        group = group.element(Level::NOTE.message(visible(&text).into_owned()));
    }
    render(&[group])
}

/// The excerpts of a finding; where findings of the group differ in what they say, each says it beside its line.
fn labelled(finding: &Finding, same: bool) -> Vec<(Excerpt, String, AnnotationKind)> {
    let mut places = places(finding);
    if let Some((_, label)) = places.first_mut().filter(|_| !same) {
        *label = format!("{} ({label})", visible(&finding.message));
    }
    if let Some((_, label)) = places.first_mut() {
        label.push_str(&facts(finding));
    }
    let kind = |position| if position == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
    places.into_iter().enumerate().map(|(position, (excerpt, label))| (excerpt, label, kind(position))).collect()
}

/// Places that are named without an excerpt.
const MAX_NAMED: usize = 8;

/// `11 more: a.yaml:3:5, b.yaml:9:5, ..`
fn elsewhere(findings: &[&Finding]) -> String {
    let place = |finding: &&Finding| match &finding.location {
        Some(location) => in_a_line(&location.to_string()),
        None => in_a_line(&finding.resource),
    };
    let mut text = format!(
        "{} more: {}",
        findings.len(),
        findings.iter().take(MAX_NAMED).map(place).collect::<Vec<_>>().join(", ")
    );
    if findings.len() > MAX_NAMED {
        text.push_str(", ...; --verbose shows all");
    }
    text
}

/// The field and the resource that it belongs to.
fn subject(finding: &Finding) -> String {
    match &*finding.path {
        "" => in_a_line(&finding.resource),
        path => in_a_line(&format!("{path} of {}", finding.resource)),
    }
}

/// Excerpts and labels of a finding's offending fields. Missing fields often share the place of their parent; they are
/// named together there, the later ones without what they have in common with the first.
fn places(finding: &Finding) -> Vec<(Excerpt, String)> {
    let mut places: Vec<(&Location, &str, String)> = Vec::new();
    places.extend(finding.location.as_ref().map(|at| (at, &*finding.path, finding.path.to_string())));
    for (path, at) in &finding.related {
        match places.iter_mut().find(|(place, ..)| place.span == at.span) {
            Some((_, first, label)) => {
                label.push_str(", ");
                label.push_str(beyond(first, path));
            }
            None => places.push((at, path, path.to_string())),
        }
    }
    let of_resource = |position, label: String| match (position, &*label) {
        (0, "") => finding.resource.to_string(),
        (0, fields) => format!("{fields} of {}", finding.resource),
        _ => label,
    };
    let shown = |at, label: String| in_a_line(&of_resource(at, label));
    places.into_iter().enumerate().map(|(at, (place, _, label))| (Excerpt::of(place), shown(at, label))).collect()
}

/// What `path` has beyond the parents that it shares with `first`.
fn beyond<'a>(first: &str, path: &'a str) -> &'a str {
    let shared = first.bytes().zip(path.bytes()).take_while(|(a, b)| a == b).count();
    let cut = path.get(..shared).and_then(|head| head.rfind('.')).map_or(0, |dot| dot + 1);
    path.get(cut..).unwrap_or(path)
}

/// An error with no place in any source.
pub(crate) fn plain_error(message: &str, help: Option<&str>) -> String {
    let mut group = Group::with_title(Level::ERROR.primary_title(visible(message)));
    if let Some(help) = help {
        group = group.element(Level::HELP.message(visible(help)));
    }
    render(&[group])
}

/// Text of a document or a file's name, for a terminal: what would move the cursor, start a control sequence or turn
/// the direction of writing is written as an escape, so that no document can hide or forge what is said about it.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if !text.contains(is_deceptive) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if is_deceptive(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// A name, which has one line: at the start of another it could be taken for a command to who reads the output
/// (`::stop-commands::` of GitHub Actions).
pub(crate) fn in_a_line(name: &str) -> String {
    visible(name).replace('\n', "\\u{a}")
}

/// Control characters, and format characters that reorder or join what is beside them.
fn is_deceptive(c: char) -> bool {
    let reorders =
        matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
    reorders || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// What the rule knows beside its words, behind a text: ` [cve: CVE-2026-1, fixed: 1.2.3]`; empty where that is nothing.
pub(crate) fn facts(finding: &Finding) -> String {
    if finding.facts.is_empty() {
        return String::new();
    }
    let facts: Vec<_> = finding.facts.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!(" [{}]", visible(&facts.join(", ")).split_whitespace().collect::<Vec<_>>().join(" "))
}

/// `policy/rule`, or the policy alone where its only rule has the same name.
pub(crate) fn rule_id(finding: &Finding) -> String {
    let policy = in_a_line(&finding.policy.to_string());
    if *finding.rule == *finding.policy.name || finding.rule.is_empty() {
        policy
    } else {
        format!("{policy}/{}", in_a_line(&finding.rule))
    }
}

fn rule_note(finding: &Finding) -> String {
    let place = finding.rule_location.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
    in_a_line(&format!("{} severity, {}{place}", finding.severity, finding.policy.kind))
}

fn render(groups: &[Group<'_>]) -> String {
    Renderer::styled().render(groups)
}

/// The first line of a location, cut to what a terminal can show.
struct Excerpt {
    path: String,
    line: usize,
    text: String,
    span: std::ops::Range<usize>,
}

impl Excerpt {
    fn of(location: &Location) -> Self {
        let text = location.source.text();
        let start = floor_boundary(text, (location.span.start as usize).min(text.len()));
        let line_start = text.get(..start).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1);
        let line_end = text.get(start..).and_then(|tail| tail.find('\n')).map_or(text.len(), |at| start + at);
        let end = floor_boundary(text, (location.span.end as usize).clamp(start, line_end));
        let from = floor_boundary(text, line_start.max(start.saturating_sub(MAX_EXCERPT / 2)));
        let to = floor_boundary(text, line_end.min(from + MAX_EXCERPT)).max(start);
        let shown = text.get(from..to).unwrap_or_default().trim_end_matches('\r');
        // One character for each byte keeps the columns of what follows.
        let dots = |c: char| {
            std::iter::repeat_n(if is_deceptive(c) { '.' } else { c }, if is_deceptive(c) { c.len_utf8() } else { 1 })
        };
        let shown: String = shown.chars().flat_map(dots).collect();
        let span = (start - from).min(shown.len())..(end.min(to).saturating_sub(from)).min(shown.len());
        let span = span.start..span.end.max(span.start);
        Self { path: in_a_line(location.source.name()), line: location.start().line, text: shown, span }
    }

    fn snippet<'a>(&'a self, kind: AnnotationKind, label: &'a str) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
        let mut annotation = kind.span(self.span.clone());
        if !label.is_empty() {
            annotation = annotation.label(label);
        }
        Snippet::source(&*self.text).line_start(self.line).path(&*self.path).annotation(annotation)
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while at > 0 && !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use palisade_model::{Source, Span};

    use super::*;

    #[test]
    fn fields_at_one_place_are_named_together() {
        assert_eq!(beyond("spec.securityContext.runAsUser", "spec.securityContext.runAsGroup"), "runAsGroup");
        assert_eq!(beyond("spec.containers[0].image", "metadata.name"), "metadata.name");
    }

    #[test]
    fn excerpts_of_long_lines_are_cut_around_the_span() {
        let text = format!("{}needle{}\nnext", "\u{e9}".repeat(5_000), "x".repeat(100_000));
        let start = text.find("needle").unwrap();
        let location = Location { source: Source::new("long", text), span: Span::new(start..start + 6) };
        let excerpt = Excerpt::of(&location);
        assert!(excerpt.text.len() <= MAX_EXCERPT);
        assert_eq!(excerpt.text.get(excerpt.span.clone()), Some("needle"));
        let past = Location { source: Source::new("short", "ab"), span: Span::new(90..95) };
        assert_eq!(Excerpt::of(&past).span, 2..2);
    }
}
