//! The kinds of reports that a cluster has, and which of them are written.

use std::sync::Arc;

use crate::connection::Reports;
use crate::{Discovery, Kind};

/// A pair of kinds: reports about objects in namespaces, and about others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flavour {
    pub(super) namespaced: Arc<Kind>,
    pub(super) cluster: Arc<Kind>,
    /// Whether a report names its source, beside its results.
    pub(super) names_source: bool,
}

/// API group and the two kinds.
type Names = (&'static str, &'static str, &'static str);

const POLICY_REPORTS: Names = ("wgpolicyk8s.io", "PolicyReport", "ClusterPolicyReport");
const OPEN_REPORTS: Names = ("openreports.io", "Report", "ClusterReport");

impl Flavour {
    /// What the configuration asks for, as far as the cluster has it.
    pub(super) fn find(discovery: &Discovery, choice: Reports) -> Option<Self> {
        let of = |(group, namespaced, cluster): Names| {
            Some(Self {
                namespaced: discovery.named(group, namespaced)?.clone(),
                cluster: discovery.named(group, cluster)?.clone(),
                names_source: group == OPEN_REPORTS.0,
            })
        };
        match choice {
            Reports::Auto => of(OPEN_REPORTS).or_else(|| of(POLICY_REPORTS)),
            Reports::PolicyReport => of(POLICY_REPORTS),
            Reports::OpenReports => of(OPEN_REPORTS),
            Reports::None => None,
        }
    }

    /// What to say where the cluster lacks the kinds.
    pub(super) fn absent(choice: Reports) -> String {
        let ((group, one, two), chart) = match choice {
            Reports::PolicyReport => {
                (POLICY_REPORTS, "the CustomResourceDefinitions of the Kubernetes policy working group")
            }
            _ => (OPEN_REPORTS, "the CustomResourceDefinitions of OpenReports"),
        };
        format!(
            "no reports are written: the cluster lacks {one} and {two} of `{group}`; install {chart}, or set \
             `kubernetes.reports = \"none\"`"
        )
    }

    /// The kind of reports about objects of `namespace`; empty for objects outside of namespaces.
    pub(super) fn kind_for(&self, namespace: &str) -> &Kind {
        if namespace.is_empty() { &self.cluster } else { &self.namespaced }
    }
}
