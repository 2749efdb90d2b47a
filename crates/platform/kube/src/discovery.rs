//! Which kinds the cluster has: their resources, scope, verbs and subresources.
//!
//! Read in two requests (aggregated discovery), and again whenever a CustomResourceDefinition or an APIService changes. Deliberately
//! absent: schemas.

use std::sync::Arc;

use kube::core::discovery::v2::{APIGroupDiscovery, APIResourceDiscovery, APISubresourceDiscovery};
use palisade_model::{GroupVersionKind, Str};

use crate::{Connection, KubeError};

/// A kind of the cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kind {
    /// Group, version and kind.
    pub gvk: GroupVersionKind,
    /// The plural resource name, such as `pods`.
    pub plural: Str,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// What can be done with it: `get`, `list`, `watch`, `create`, `delete`.
    pub verbs: Vec<Str>,
    /// Its subresources.
    pub sub_resources: Vec<SubResource>,
    /// Whether this is the version of the kind that the cluster prefers.
    pub preferred: bool,
}

/// A subresource, such as `exec` of pods.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SubResource {
    /// Its name without the resource's.
    pub name: Str,
    /// What is sent to it, where the cluster says so.
    pub gvk: Option<GroupVersionKind>,
}

impl Kind {
    /// Whether `verb` can be used with it.
    pub fn can(&self, verb: &str) -> bool {
        self.verbs.iter().any(|known| &**known == verb)
    }

    /// Whether its objects can be listed and followed.
    pub fn is_watchable(&self) -> bool {
        self.can("list") && self.can("watch")
    }

    /// Whether it has the subresource `name`.
    pub fn has_sub_resource(&self, name: &str) -> bool {
        self.sub_resources.iter().any(|sub| &*sub.name == name)
    }

    /// The path of its collection: of `namespace`, or of all where that is empty or the kind has none.
    pub fn collection(&self, namespace: &str) -> String {
        let GroupVersionKind { group, version, .. } = &self.gvk;
        let base = if group.is_empty() { format!("/api/{version}") } else { format!("/apis/{group}/{version}") };
        if namespace.is_empty() || !self.namespaced {
            format!("{base}/{}", self.plural)
        } else {
            format!("{base}/namespaces/{namespace}/{}", self.plural)
        }
    }

    /// The path of one object.
    pub fn path(&self, namespace: &str, name: &str) -> String {
        format!("{}/{name}", self.collection(namespace))
    }
}

/// The kinds of a cluster at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Discovery {
    kinds: Vec<Arc<Kind>>,
}

impl Discovery {
    /// Asks the cluster.
    pub async fn read(connection: &Connection) -> Result<Self, KubeError> {
        let failed = |error| KubeError::of(error, connection.server(), "discovery of its kinds");
        let core = connection.client.list_core_api_versions_aggregated().await.map_err(failed)?;
        let named = connection.client.list_api_groups_aggregated().await.map_err(failed)?;
        Ok(Self::of(core.items.iter().chain(&named.items)))
    }

    fn of<'a>(groups: impl Iterator<Item = &'a APIGroupDiscovery>) -> Self {
        let mut kinds: Vec<Arc<Kind>> = Vec::new();
        for group in groups {
            let name: Str = group.metadata.as_ref().and_then(|meta| meta.name.clone()).unwrap_or_default().into();
            for version in &group.versions {
                let of: Str = version.version.clone().unwrap_or_default().into();
                for resource in &version.resources {
                    let Some(mut kind) = kind(&name, &of, resource) else { continue };
                    // Versions come in order of preference.
                    kind.preferred =
                        !kinds.iter().any(|other| other.gvk.group == kind.gvk.group && other.plural == kind.plural);
                    kinds.push(Arc::new(kind));
                }
            }
        }
        Self { kinds }
    }

    /// From kinds that are known otherwise, in order of preference; for tests and for rendering without a cluster.
    pub fn new(kinds: impl IntoIterator<Item = Kind>) -> Self {
        Self { kinds: kinds.into_iter().map(Arc::new).collect() }
    }

    /// All kinds in all versions, groups and versions in the cluster's order of preference.
    pub fn kinds(&self) -> &[Arc<Kind>] {
        &self.kinds
    }

    /// Every kind once, in the version that the cluster prefers.
    pub fn preferred(&self) -> impl Iterator<Item = &Arc<Kind>> {
        self.kinds.iter().filter(|kind| kind.preferred)
    }

    /// The kind that is called so in exactly this version.
    pub fn get(&self, gvk: &GroupVersionKind) -> Option<&Arc<Kind>> {
        self.kinds.iter().find(|kind| kind.gvk == *gvk)
    }

    /// The kind of `group` called `name` (a kind or a plural) in the version that the cluster prefers.
    pub fn named(&self, group: &str, name: &str) -> Option<&Arc<Kind>> {
        self.find(group, "*", name)
    }

    /// The first kind that answers to group, version (`*` for any) and kind or plural.
    pub fn find(&self, group: &str, version: &str, resource: &str) -> Option<&Arc<Kind>> {
        self.kinds.iter().find(|kind| {
            (group == "*" || *kind.gvk.group == *group)
                && (version == "*" || version.is_empty() || *kind.gvk.version == *version)
                && (*kind.gvk.kind == *resource || *kind.plural == *resource)
        })
    }
}

fn kind(group: &Str, version: &Str, resource: &APIResourceDiscovery) -> Option<Kind> {
    let response = resource.response_kind.as_ref()?;
    Some(Kind {
        gvk: GroupVersionKind { group: group.clone(), version: version.clone(), kind: response.kind.clone()?.into() },
        plural: resource.resource.clone()?.into(),
        namespaced: resource.scope.as_deref() == Some("Namespaced"),
        verbs: resource.verbs.iter().map(|verb| verb.as_str().into()).collect(),
        sub_resources: resource.subresources.iter().filter_map(|sub| sub_resource(group, version, sub)).collect(),
        preferred: false,
    })
}

fn sub_resource(group: &Str, version: &Str, sub: &APISubresourceDiscovery) -> Option<SubResource> {
    let gvk = sub.response_kind.as_ref().and_then(|response| {
        let or = |named: &Option<String>, own: &Str| match named.as_deref() {
            None | Some("") => own.clone(),
            Some(named) => named.into(),
        };
        Some(GroupVersionKind {
            group: or(&response.group, group),
            version: or(&response.version, version),
            kind: response.kind.clone()?.into(),
        })
    });
    Some(SubResource { name: sub.subresource.clone()?.into(), gvk })
}
