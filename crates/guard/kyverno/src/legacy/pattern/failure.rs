//! Why and where a part of a resource does not match its pattern.

use palisade_model::{Path, Segment, Str};

/// How many reasons of skipped elements a message lists.
const MAX_REASONS: usize = 20;

/// The route to the value being judged, kept on the stack until a failure needs it.
#[derive(Clone, Copy)]
pub(super) struct Trail<'t> {
    parent: Option<&'t Trail<'t>>,
    step: Step<'t>,
}

#[derive(Clone, Copy)]
enum Step<'t> {
    Root,
    Key(&'t Str),
    Index(usize),
}

impl<'t> Trail<'t> {
    pub(super) const ROOT: Trail<'static> = Trail { parent: None, step: Step::Root };

    pub(super) fn key(&'t self, key: &'t Str) -> Self {
        Self { parent: Some(self), step: Step::Key(key) }
    }

    pub(super) fn index(&'t self, index: usize) -> Self {
        Self { parent: Some(self), step: Step::Index(index) }
    }

    pub(super) fn path(&self) -> Path {
        let mut segments = Vec::new();
        let mut trail = Some(self);
        while let Some(Trail { parent, step }) = trail {
            match step {
                Step::Root => {}
                Step::Key(key) => segments.push(Segment::Key((*key).clone())),
                Step::Index(index) => segments.push(Segment::Index(*index)),
            }
            trail = *parent;
        }
        segments.reverse();
        Path(segments)
    }
}

/// Why a part does not match.
pub(super) struct Failure {
    pub(super) kind: Kind,
    pub(super) path: Path,
    pub(super) message: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A condition or global anchor does not hold.
    Condition,
    /// Everything that could have been judged was skipped.
    Skipped,
    /// A forbidden key is there.
    Negation,
    /// The value does not match.
    Value,
    /// The pattern cannot be applied to this resource.
    Unfit,
    /// The step budget is used up, or the pattern is nested too deeply; nothing may swallow this.
    Limit,
}

impl Failure {
    pub(super) fn new(kind: Kind, at: &Trail<'_>, message: impl Into<String>) -> Self {
        Self { kind, path: at.path(), message: message.into() }
    }

    pub(super) fn skips(&self) -> bool {
        matches!(self.kind, Kind::Condition | Kind::Skipped)
    }

    /// The same failure seen through a condition or global anchor: whatever went wrong inside, the anchor's condition
    /// does not hold.
    pub(super) fn through(self, anchor: &str) -> Self {
        match self.kind {
            Kind::Limit => self,
            _ => Self { kind: Kind::Condition, message: format!("{anchor} anchor mismatch: {}", self.message), ..self },
        }
    }

    /// The failure of a part whose every piece was skipped.
    pub(super) fn all_skipped(skipped: &[Self], at: &Trail<'_>) -> Self {
        let mut reasons: Vec<&str> = skipped.iter().take(MAX_REASONS).map(|skip| skip.message.as_str()).collect();
        let more = skipped.len().checked_sub(MAX_REASONS + 1).map(|more| format!("and {} more", more + 1));
        reasons.extend(more.as_deref());
        Self::new(Kind::Skipped, at, reasons.join("; "))
    }
}

/// The text of a path as Kyverno prints it.
pub(super) fn pointer(path: &Path) -> String {
    let mut text = String::from("/");
    for segment in &path.0 {
        match segment {
            Segment::Key(key) => text.push_str(key),
            Segment::Index(index) => text.push_str(&index.to_string()),
        }
        text.push('/');
    }
    text
}
