//! Policies as their sources offered them: which there are, in which version, and what is wrong with them. Contents
//! are kept per version, so that a decision's policy can be read long after it changed.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{Listed, Page, Store, StoreError};

/// Whether a policy judges.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PolicyStatus {
    /// This version judges.
    Active,
    /// The offered version is broken; the last good one judges, where there is one.
    Rejected,
    /// Its source no longer offers it.
    Removed,
}

/// One policy as its source offers it now.
#[derive(Clone, Debug)]
pub struct PolicySighting {
    /// Kind of the policy object.
    pub kind: String,
    /// Namespace, empty where it has none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// SHA-256 of its canonical JSON.
    pub digest: String,
    /// The document as text.
    pub content: String,
    /// Where in the source it is, such as a path and a line.
    pub place: String,
    /// What is wrong with it; none where it judges.
    pub problem: Option<String>,
}

/// A stored policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyRecord {
    /// Its identifier, made from source, kind, namespace and name.
    pub id: String,
    /// The source that offers it.
    pub source: String,
    /// Kind of the policy object.
    pub kind: String,
    /// Namespace, empty where it has none.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// SHA-256 of the version offered last.
    pub digest: String,
    /// Where in the source it is.
    pub place: String,
    /// Whether it judges.
    pub status: PolicyStatus,
    /// What is wrong with it.
    pub problem: Option<String>,
    /// First seen.
    pub first_seen: Timestamp,
    /// When version, status or problem changed last.
    pub changed_at: Timestamp,
}

/// One version of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PolicyVersion {
    /// Identifier of the policy.
    pub policy_id: String,
    /// SHA-256 of its canonical JSON.
    pub digest: String,
    /// The document as text.
    pub content: String,
    /// First seen.
    pub first_seen: Timestamp,
}

/// Which policies are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct PolicyFilter {
    /// Source.
    pub source: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Status; none leaves out what is removed.
    pub status: Option<PolicyStatus>,
}

impl Store {
    /// Takes over everything that a source offers now; what it no longer offers is marked removed. Tells the feed of
    /// changes (topic `policies`) where something changed. Returns how many policies changed.
    pub async fn sync_policies(
        &self,
        source: &str,
        offered: &[PolicySighting],
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        todo!()
    }

    /// The policy with this identifier.
    pub async fn policy(&self, id: &str) -> Result<Option<PolicyRecord>, StoreError> {
        todo!()
    }

    /// Policies by name.
    pub async fn list_policies(&self, filter: &PolicyFilter, page: &Page) -> Result<Listed<PolicyRecord>, StoreError> {
        todo!()
    }

    /// The versions of a policy, the newest first.
    pub async fn list_policy_versions(&self, id: &str, page: &Page) -> Result<Listed<PolicyVersion>, StoreError> {
        todo!()
    }

    /// The version of any policy with this digest, as decisions and findings name it.
    pub async fn policy_version(&self, digest: &str) -> Result<Option<PolicyVersion>, StoreError> {
        todo!()
    }
}
