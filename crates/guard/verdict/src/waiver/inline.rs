//! Waivers in the judged files themselves: `# palisade:ignore ...` comments, and `palisade.dev/ignore` annotations for
//! objects that are made by templates. Files that mention neither are not looked at twice.

use std::cell::Cell;
use std::sync::Arc;

use jiff::Timestamp;
use palisade_document::comment::{comments, subjects};
use palisade_document::{Document, Limits};
use palisade_model::{Diagnostic, Level, Location, Path, Str, Value, Waiver};

use super::usage::{ends_soon, expired, unused};
use super::{Stage, Terms, stage};
use crate::codes;
use crate::elements::{Place, is_element_of_texts};
use crate::finding::shown_at;
use crate::selection::{Subject, names_rule};

/// What a comment begins with that is a waiver.
const MARK: &str = "palisade:ignore";
/// The annotation that is one; with `.POLICY` behind it, the text names no policies.
const ANNOTATION: &str = "palisade.dev/ignore";

/// A waiver for a part of one document.
#[derive(Debug)]
struct Inline {
    document: usize,
    /// What it covers: this node and everything below it.
    scope: Path,
    policies: Vec<Str>,
    waiver: Arc<Waiver>,
    stage: Stage,
    /// How many findings it was about.
    hits: Cell<usize>,
}

/// The waivers of one file.
#[derive(Debug, Default)]
pub struct InlineWaivers {
    waivers: Vec<Inline>,
    /// The waivers of each document, in order of documents.
    starts: Vec<usize>,
    diagnostics: Vec<Diagnostic>,
}

/// The places of a violation, by whether a waiver covers them.
#[derive(Debug, Default)]
pub(crate) struct Split {
    /// Places that no waiver covers.
    pub(crate) left: Vec<Place>,
    /// Places that one covers.
    pub(crate) covered: Vec<Place>,
    /// The waiver of the first of them.
    pub(crate) waiver: Option<Arc<Waiver>>,
}

impl InlineWaivers {
    /// Reads the waivers of a file's documents at the moment `now`.
    pub fn read(documents: &[Document], now: Timestamp) -> Self {
        let mut all = Self::default();
        let Some(first) = documents.first() else { return all };
        let text = first.source.text();
        let (marked, annotated) = (text.contains(MARK), text.contains(ANNOTATION));
        if marked {
            all.comments(documents, now);
        }
        if annotated {
            for (index, document) in documents.iter().enumerate() {
                all.annotations(index, document, now);
            }
        }
        if marked || annotated {
            all.waivers.sort_by_key(|waiver| waiver.document);
            let start = |index| all.waivers.partition_point(|waiver| waiver.document < index);
            all.starts = (0..=documents.len()).map(start).collect();
        }
        all
    }

    fn comments(&mut self, documents: &[Document], now: Timestamp) {
        let Some(source) = documents.first().map(|document| &document.source) else { return };
        let comments = comments(source, &Limits::default());
        let subjects = subjects(documents, &comments);
        for (comment, subject) in comments.iter().zip(subjects) {
            let text = source.slice(comment.span).trim_start_matches('#').trim_start();
            let Some(terms) = text.strip_prefix(MARK) else { continue };
            let location = Location { source: source.clone(), span: comment.span };
            if terms.starts_with(|c: char| !c.is_whitespace()) {
                self.refuse(location, "expected a blank after `palisade:ignore`");
                continue;
            }
            match subject {
                Some((document, scope)) => self.add(document, scope, terms, None, location, now),
                None => self.refuse(location, "it stands before no field and no document"),
            }
        }
    }

    fn annotations(&mut self, index: usize, document: &Document, now: Timestamp) {
        let Some(annotations) = document.value.dig(["metadata", "annotations"]).and_then(Value::as_object) else {
            return;
        };
        let resource = document.resource();
        for (key, value) in annotations.iter() {
            let Some(rest) = key.strip_prefix(ANNOTATION) else { continue };
            let policy = match rest.strip_prefix('.') {
                Some(policy) => Some(policy),
                None if rest.is_empty() => None,
                None => continue,
            };
            let path: Path = ["metadata", "annotations", &**key].into_iter().collect();
            let Some(location) = resource.locate(&path) else { continue };
            for line in value.as_str().unwrap_or_default().lines().filter(|line| !line.trim().is_empty()) {
                self.add(index, Path::root(), line, policy, location.clone(), now);
            }
        }
    }

    fn add(
        &mut self,
        document: usize,
        scope: Path,
        text: &str,
        policy: Option<&str>,
        location: Location,
        now: Timestamp,
    ) {
        let granted = Terms::parse(text).and_then(|mut terms| {
            terms.policies.extend(policy.map(Str::from));
            if terms.policies.is_empty() {
                return Err("it names no policy".to_owned());
            }
            let (waiver, day) = terms.grant(Some(location.clone()), true)?;
            Ok((terms.policies, waiver, day))
        });
        match granted {
            Ok((policies, waiver, day)) => {
                let (waiver, stage) = (Arc::new(waiver), stage(day, now));
                self.waivers.push(Inline { document, scope, policies, waiver, stage, hits: Cell::new(0) });
            }
            Err(why) => self.refuse(location, &why),
        }
    }

    fn refuse(&mut self, location: Location, why: &str) {
        let message = format!("this waiver does not apply: {why}");
        let help = "write `palisade:ignore POLICY reason=\"...\" owner=TEAM expires=YYYY-MM-DD`";
        self.diagnostics.push(Diagnostic::error(codes::WAIVER, message).at(location, "").help(help));
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.waivers.is_empty()
    }

    /// The waivers of a document that are about the rule.
    fn about<'a>(&'a self, document: usize, subject: &'a Subject<'_>) -> impl Iterator<Item = &'a Inline> {
        let bounds = self.starts.get(document).zip(self.starts.get(document + 1));
        let range = bounds.map(|(start, end)| *start..*end).unwrap_or_default();
        self.waivers.get(range).unwrap_or_default().iter().filter(|waiver| waiver.names(subject))
    }

    /// Whether any waiver of the document is about the rule; `true` where one is about a part of the document only.
    pub(crate) fn concern(&self, document: usize, subject: &Subject<'_>) -> Option<bool> {
        self.about(document, subject).map(|waiver| !waiver.scope.is_root()).reduce(|any, part| any || part)
    }

    /// Notes that the rule could not be evaluated: then nobody can say that its waivers cover nothing.
    pub(crate) fn excuse(&self, document: usize, subject: &Subject<'_>) {
        self.about(document, subject).for_each(Inline::hit);
    }

    /// Which of the places waivers cover: those in what a waiver stands at, and an element that it stands in where that
    /// holds nothing but texts, such as a variable at its value.
    pub(crate) fn split(&self, document: usize, subject: &Subject<'_>, places: Vec<Place>) -> Split {
        let mut split = Split::default();
        let waivers: Vec<_> = self.about(document, subject).collect();
        for place in places {
            let shown = shown_at(subject.resource, &place.path);
            let small = is_element_of_texts(&place.path, &subject.resource.object);
            let reaches = |scope: &Path| shown.0.starts_with(&scope.0) || (small && scope.0.starts_with(&shown.0));
            let mut covered = false;
            for waiver in waivers.iter().filter(|waiver| reaches(&waiver.scope)) {
                waiver.hit();
                if waiver.stage != Stage::Expired {
                    covered = true;
                    split.waiver.get_or_insert_with(|| waiver.waiver.clone());
                }
            }
            if covered { split.covered.push(place) } else { split.left.push(place) }
        }
        split
    }

    /// What is wrong with the waivers, and which of them expired, end soon or cover nothing.
    pub fn review(self) -> Vec<Diagnostic> {
        let mut diagnostics = self.diagnostics;
        for Inline { waiver, stage, hits, .. } in &self.waivers {
            match (stage, hits.get()) {
                (Stage::Expired, hits) => diagnostics.push(expired(waiver, hits, "")),
                (_, 0) => diagnostics.push(unused(waiver, Level::Warning)),
                (Stage::EndsSoon(days), _) => diagnostics.push(ends_soon(waiver, *days)),
                (Stage::Valid, _) => {}
            }
        }
        diagnostics
    }
}

impl Inline {
    fn hit(&self) {
        self.hits.set(self.hits.get() + 1);
    }

    fn names(&self, subject: &Subject<'_>) -> bool {
        self.policies.iter().any(|pattern| names_rule(pattern, subject.policy, subject.rule))
    }
}
