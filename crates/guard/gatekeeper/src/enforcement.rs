//! What a violation leads to: `enforcementAction` and `scopedEnforcementActions`.

use palisade_cel::admission::{Node, Reader};
use palisade_model::Str;
use palisade_policy::Enforcement;

/// The point at which tests are run.
pub(crate) const GATOR: &str = "gator.gatekeeper.sh";
/// The points that stand before a cluster.
const ADMISSION: [&str; 2] = ["validation.gatekeeper.sh", "vap.k8s.io"];
pub(crate) const AUDIT: &str = "audit.gatekeeper.sh";

/// The actions of a constraint.
#[derive(Clone, Debug)]
pub(crate) enum Enforcements {
    /// One action everywhere.
    Everywhere(Enforcement),
    /// Actions by enforcement point; `*` is every point.
    Scoped(Vec<(Str, Enforcement)>),
}

/// The actions with what they lead to.
const ACTIONS: [(&str, Enforcement); 3] =
    [("deny", Enforcement::Enforce), ("warn", Enforcement::Warn), ("dryrun", Enforcement::Audit)];

impl Enforcements {
    /// Reads the actions of a constraint's `spec`; it denies where nothing is said.
    pub(crate) fn read(reader: &mut Reader<'_>, spec: &Node<'_>) -> Self {
        let words = ACTIONS.map(|(word, action)| (word, Some(action))).into_iter().chain([("scoped", None)]);
        match reader.word(spec, "enforcementAction", &words.collect::<Vec<_>>()) {
            None => Self::Everywhere(Enforcement::Enforce),
            Some(Some(action)) => Self::Everywhere(action),
            Some(None) => Self::Scoped(scoped(reader, spec)),
        }
    }

    /// Reads the action of an expansion template; `None` where it leaves that to the constraints.
    pub(crate) fn read_override(reader: &mut Reader<'_>, spec: &Node<'_>) -> Option<Enforcement> {
        let said = spec.get("enforcementAction").is_some_and(|action| action.value.as_str() != Some(""));
        if said { reader.word(spec, "enforcementAction", &ACTIONS) } else { None }
    }

    /// Whether the constraint has any say at `point`.
    pub(crate) fn acts_at(&self, point: &str) -> bool {
        match self {
            Self::Everywhere(_) => true,
            Self::Scoped(actions) => actions.iter().any(|(at, _)| &**at == "*" || &**at == point),
        }
    }

    /// Whether the constraint has any say before a cluster.
    pub(crate) fn acts_at_admission(&self) -> bool {
        ADMISSION.iter().any(|point| self.acts_at(point))
    }

    /// What a violation leads to before a cluster, which is what a check stands for: the strictest action there. A
    /// constraint that acts in tests and pipelines alone does there what it says; one that acts in audits reports.
    pub(crate) fn at_admission(&self) -> Option<Enforcement> {
        let actions = match self {
            Self::Everywhere(action) => return Some(*action),
            Self::Scoped(actions) => actions,
        };
        let strictest = |points: &[&str]| {
            let at = actions.iter().filter(|(at, _)| &**at == "*" || points.contains(&&**at));
            at.map(|(_, action)| *action).min_by_key(|action| ACTIONS.iter().position(|(_, known)| known == action))
        };
        let audited = actions.iter().any(|(at, _)| &**at == AUDIT).then_some(Enforcement::Audit);
        strictest(&ADMISSION).or_else(|| strictest(&[GATOR])).or(audited)
    }
}

fn scoped(reader: &mut Reader<'_>, spec: &Node<'_>) -> Vec<(Str, Enforcement)> {
    let mut actions = Vec::new();
    for node in reader.list(spec, "scopedEnforcementActions") {
        let Some(action) = reader.word(&node, "action", &ACTIONS) else { continue };
        for point in reader.list(&node, "enforcementPoints") {
            actions.extend(reader.required_text(&point, "name").map(|name| (name, action)));
        }
    }
    if actions.is_empty() {
        reader.missing(spec, "scopedEnforcementActions");
    }
    actions
}
