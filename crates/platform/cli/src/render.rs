//! Diagnostics and findings drawn as rustc draws its own: a title, the lines in question, what to do.

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
    let excerpts: Vec<_> = diagnostic.labels.iter().map(|label| (Excerpt::of(&label.location), &*label.text)).collect();
    let mut group = Group::with_title(level.primary_title(&*diagnostic.message).id(diagnostic.code));
    for (position, (excerpt, text)) in excerpts.iter().enumerate() {
        let kind = if position == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
        group = group.element(excerpt.snippet(kind, text));
    }
    for help in &diagnostic.help {
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
    let title = format!("{prefix}{}", finding.message);
    let label = match &*finding.path {
        "" => finding.resource.to_string(),
        path => format!("{path} of {}", finding.resource),
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
        group = group.element(Level::HELP.message(&**remediation));
    }
    render(&[group])
}

/// An error with no place in any source.
pub(crate) fn plain_error(message: &str, help: Option<&str>) -> String {
    let mut group = Group::with_title(Level::ERROR.primary_title(message));
    if let Some(help) = help {
        group = group.element(Level::HELP.message(help));
    }
    render(&[group])
}

/// `policy/rule`, or the policy alone where its only rule has the same name.
pub(crate) fn rule_id(finding: &Finding) -> String {
    if *finding.rule == *finding.policy.name || finding.rule.is_empty() {
        finding.policy.to_string()
    } else {
        format!("{}/{}", finding.policy, finding.rule)
    }
}

fn rule_note(finding: &Finding) -> String {
    let place = finding.rule_location.as_ref().map(|at| format!(" at {at}")).unwrap_or_default();
    format!("{} severity, {}{place}", finding.severity, finding.policy.kind)
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
        let span = (start - from).min(shown.len())..(end.min(to).saturating_sub(from)).min(shown.len());
        let span = span.start..span.end.max(span.start);
        Self { path: location.source.name().to_owned(), line: location.start().line, text: shown.to_owned(), span }
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
