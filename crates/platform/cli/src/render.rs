//! Diagnostics and findings drawn as rustc draws its own: a title, the lines in question, what to do.

use std::borrow::Cow;

use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};
use palisade_model::{Diagnostic, Finding, Location, Verdict};

/// The longest excerpt of one line that is shown, in bytes; minified files have lines of megabytes.
const MAX_EXCERPT: usize = 200;

/// A diagnostic with its excerpts.
pub(crate) fn diagnostic(diagnostic: &Diagnostic) -> String {
    let level = match diagnostic.level {
        palisade_model::Level::Note => Level::NOTE,
        palisade_model::Level::Warning => Level::WARNING,
        palisade_model::Level::Error => Level::ERROR,
    };
    let excerpts: Vec<_> = diagnostic.labels.iter().map(|label| (Excerpt::of(&label.location), visible(&label.text))).collect();
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

/// A finding with the offending line, the rule that spoke and the remedy.
pub(crate) fn finding(finding: &Finding) -> String {
    let (level, prefix) = match finding.verdict {
        Verdict::Fail => (Level::ERROR, ""),
        Verdict::Error => (Level::ERROR, "could not be evaluated: "),
        Verdict::Warn => (Level::WARNING, ""),
        Verdict::Pass | Verdict::Skip => (Level::NOTE, ""),
    };
    let title = format!("{prefix}{}", visible(&finding.message));
    let label = match &*finding.path {
        "" => visible(&finding.resource).into_owned(),
        path => format!("{} of {}", visible(path), visible(&finding.resource)),
    };
    let rule = rule_note(finding);
    let excerpt = finding.location.as_ref().map(Excerpt::of);
    let related: Vec<_> = finding.related.iter().map(|(path, at)| (&**path, Excerpt::of(at))).collect();
    let mut group = Group::with_title(level.primary_title(title).id(rule_id(finding)));
    match &excerpt {
        Some(excerpt) => group = group.element(excerpt.snippet(AnnotationKind::Primary, &label)),
        None => group = group.element(Level::NOTE.message(format!("in {label}"))),
    }
    for (path, excerpt) in &related {
        group = group.element(excerpt.snippet(AnnotationKind::Context, path));
    }
    group = group.element(Level::NOTE.message(rule));
    if let Some(remediation) = &finding.remediation {
        group = group.element(Level::HELP.message(visible(remediation)));
    }
    render(&[group])
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
        match is_deceptive(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    Cow::Owned(shown)
}

/// Control characters, and format characters that reorder or join what is beside them.
fn is_deceptive(c: char) -> bool {
    let reorders = matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}'..='\u{2069}' | '\u{FEFF}');
    reorders || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// `policy/rule`, or the policy alone where its only rule has the same name.
pub(crate) fn rule_id(finding: &Finding) -> String {
    let policy = finding.policy.to_string();
    let policy = visible(&policy);
    if *finding.rule == *finding.policy.name || finding.rule.is_empty() {
        policy.into_owned()
    } else {
        format!("{policy}/{}", visible(&finding.rule))
    }
}

fn rule_note(finding: &Finding) -> String {
    let place = finding.rule_location.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
    visible(&format!("{} severity, {}{place}", finding.severity, finding.policy.kind)).into_owned()
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
        let dots = |c: char| std::iter::repeat_n(if is_deceptive(c) { '.' } else { c }, if is_deceptive(c) { c.len_utf8() } else { 1 });
        let shown: String = shown.chars().flat_map(dots).collect();
        let span = (start - from).min(shown.len())..(end.min(to).saturating_sub(from)).min(shown.len());
        let span = span.start..span.end.max(span.start);
        Self { path: visible(location.source.name()).into_owned(), line: location.start().line, text: shown, span }
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
