//! Where a request is put before the policies, and what that changes.

use palisade_model::Resource;
use palisade_policy::{FailurePolicy, Phase, Policy, Request};

use crate::waiver::InlineWaivers;

/// Where a request is put before the policies.
#[derive(Clone, Copy, Debug)]
pub enum Door<'a> {
    /// A document of a file, before it is deployed: every policy is asked, what a rule only audits counts as well, and the
    /// file's own waivers count, because somebody reviewed them.
    Files(Sheet<'a>),
    /// Before a cluster: the policies that stand there and whose reach selects the request, of one failure policy where
    /// it says which. Existing targets are a controller's to change, when the request has passed.
    Admission {
        /// In this order; a later phase sees the object as the earlier ones left it.
        phases: &'a [Phase],
        /// Only policies with this failure policy are asked; all where none is named.
        asked: Option<FailurePolicy>,
    },
    /// What exists: the policies that look at existing objects.
    Scan {
        /// Whether what passed and what was skipped is wanted too.
        every: bool,
    },
    /// All policies that select the object, for those who bring about what rules want.
    Controller(&'a [Phase]),
}

/// A document as files hold it.
#[derive(Clone, Copy, Debug)]
pub struct Sheet<'a> {
    /// The phases that are asked, in order.
    pub phases: &'a [Phase],
    /// The document with its places.
    pub resource: &'a Resource,
    /// What it is called, where that is not for the document to say.
    pub called: Option<&'a str>,
    /// Its file, relative to the configuration's folder and separated by slashes.
    pub file: &'a str,
    /// Which of the documents of its file, where several are alike otherwise; see [`palisade_model::address::parts`].
    pub part: &'a str,
    /// The waivers of the file, and which of its documents this is.
    pub inline: Option<(&'a InlineWaivers, usize)>,
    /// Whether every offending field needs an identity, for a baseline.
    pub parts: bool,
    /// Whether what passed and what was skipped is wanted too.
    pub every: bool,
    /// Whether the policies were asked about several documents together, so that nothing can be asked of this one alone.
    pub together: bool,
}

impl<'a> Sheet<'a> {
    /// A document alone, of which only what is wrong is wanted.
    pub const fn new(phases: &'a [Phase], resource: &'a Resource, file: &'a str) -> Self {
        Self {
            phases,
            resource,
            called: None,
            file,
            part: "",
            inline: None,
            parts: false,
            every: false,
            together: false,
        }
    }
}

impl<'a> Door<'a> {
    /// The phases that are asked, in order.
    pub(crate) const fn phases(&self) -> &[Phase] {
        match self {
            Self::Files(sheet) => sheet.phases,
            Self::Admission { phases, .. } | Self::Controller(phases) => phases,
            Self::Scan { .. } => &[Phase::Validate],
        }
    }

    pub(crate) const fn sheet(&self) -> Option<&Sheet<'a>> {
        match self {
            Self::Files(sheet) => Some(sheet),
            _ => None,
        }
    }

    /// The file, as selectors know it; empty elsewhere.
    pub(crate) fn file(&self) -> &str {
        self.sheet().map_or("", |sheet| sheet.file)
    }

    /// Whether what passed and what was skipped is wanted too.
    pub(crate) const fn wants_all(&self) -> bool {
        match self {
            Self::Files(sheet) => sheet.every,
            Self::Scan { every } => *every,
            Self::Admission { .. } | Self::Controller(_) => false,
        }
    }

    /// Whether the policy is asked here.
    pub(crate) fn admits(&self, policy: &dyn Policy, request: &Request) -> bool {
        let reach = &policy.info().reach;
        match self {
            Self::Admission { asked, .. } => {
                // A reach tells requests of the Kubernetes API apart, and nothing else.
                let selects = || request.as_admission().is_none_or(|admission| reach.selects(admission));
                reach.admission && asked.is_none_or(|asked| asked == reach.failure_policy) && selects()
            }
            // What exists is of no operation: the policy itself knows what it makes of that.
            Self::Scan { .. } => reach.background,
            Self::Files(_) | Self::Controller(_) => true,
        }
    }
}
