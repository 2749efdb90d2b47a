//! The inventory: every object that was judged, where it is, and whose it is.

use jiff::Timestamp;
use palisade_model::VerdictCounts;
use serde::{Deserialize, Serialize};

use crate::{Listed, Page, Store, StoreError};

/// What makes a resource the same resource at the next sight.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ResourceIdentity {
    /// Where it lives: `cluster:NAME` or `file:PATH`.
    pub source: String,
    /// API group, empty for core.
    pub group: String,
    /// Kind.
    pub kind: String,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

/// A resource of the inventory.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ResourceRecord {
    /// Its identifier, made from its identity.
    pub id: String,
    /// What makes it the same at the next sight.
    #[serde(flatten)]
    pub identity: ResourceIdentity,
    /// API version.
    pub version: String,
    /// Unique identifier in the cluster, empty outside of one.
    pub uid: String,
    /// SHA-256 of its labels.
    pub labels_digest: String,
    /// SHA-256 of what was judged.
    pub input_digest: String,
    /// SHA-256 of the policies that judged it last.
    pub ruleset_digest: String,
    /// The team that answers for it.
    pub team: String,
    /// The service that it belongs to.
    pub service: String,
    /// What the rules said last.
    pub counts: VerdictCounts,
    /// First seen.
    pub first_seen: Timestamp,
    /// Last seen.
    pub last_seen: Timestamp,
}

/// Which resources are wanted. What is `None` does not narrow.
#[derive(Clone, Debug, Default)]
pub struct ResourceFilter {
    /// Where it lives.
    pub source: Option<String>,
    /// Kind.
    pub kind: Option<String>,
    /// Namespace.
    pub namespace: Option<String>,
    /// Name.
    pub name: Option<String>,
    /// Of any of these teams.
    pub teams: Option<Vec<String>>,
    /// Service.
    pub service: Option<String>,
}

impl Store {
    /// The resource with this identifier.
    pub async fn resource(&self, id: &str) -> Result<Option<ResourceRecord>, StoreError> {
        todo!()
    }

    /// Resources by identifier.
    pub async fn list_resources(
        &self,
        filter: &ResourceFilter,
        page: &Page,
    ) -> Result<Listed<ResourceRecord>, StoreError> {
        todo!()
    }

    /// Forgets resources that no longer exist and resolves their findings. Returns how many there were.
    pub async fn remove_resources(&self, ids: &[String], now: Timestamp) -> Result<u64, StoreError> {
        todo!()
    }

    /// Forgets the resources of a source that were last seen before a complete pass began. Returns how many.
    pub async fn remove_unseen_resources(
        &self,
        source: &str,
        pass_began: Timestamp,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        todo!()
    }
}
