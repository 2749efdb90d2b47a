//! The policies that live in the cluster: read as documents, and told how loading them went.
//!
//! Kinds that the cluster does not have are not missed, and picked up once they are defined. Where Gatekeeper is not
//! installed, the kinds of constraints are defined here from their templates, as Gatekeeper would do; where it is, they are
//! left to it. ValidatingAdmissionPolicy and MutatingAdmissionPolicy objects are enforced by the API server itself: unless
//! the configuration says otherwise they carry the annotation that keeps them to the scan. Deliberately absent: compiling
//! policies, which is the languages'.

mod kinds;
mod status;

use std::sync::Arc;
use std::time::Duration;

use palisade_model::{GroupVersionKind, Resource, Value};
use palisade_policy::policy::ADMISSION_ANNOTATION;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use status::Condition;

use crate::{Caches, Kind, KubeError, KubernetesConfig, Subscription, definitions};
use status::StatusWriter;

/// How long the first lists may take before what is there is handed over without the rest.
const FIRST_LISTS: Duration = Duration::from_secs(15);

/// How long a burst of changes is gathered.
const BURST: Duration = Duration::from_millis(100);

/// The policy objects of the cluster.
#[derive(Clone, Debug, Default)]
pub struct Documents {
    /// The objects as somebody wrote them, without what the API server adds; sorted by kind, namespace and name.
    pub documents: Vec<Resource>,
    /// Kinds that cannot be read at the moment, with the reason. Their policies are missing, or as they were.
    pub unread: Vec<(GroupVersionKind, String)>,
}

/// Follows the policy objects of the cluster.
#[derive(Clone, Debug)]
pub struct ClusterPolicies {
    documents: watch::Receiver<Option<Arc<Documents>>>,
    status: Arc<StatusWriter>,
}

impl ClusterPolicies {
    /// Follows them until `shutdown`.
    pub fn start(caches: &Caches, config: &KubernetesConfig, shutdown: &CancellationToken) -> Self {
        let (sender, documents) = watch::channel(None);
        let follower = Follower {
            caches: caches.clone(),
            subscription: caches.subscribe(),
            admit_native: config.admit_native_policies,
            documents: sender,
            defined: Vec::new(),
        };
        let stop = shutdown.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = follower.follow() => {}
            }
        });
        Self { documents, status: Arc::new(StatusWriter::new(caches, config.write_status)) }
    }

    /// The documents, with every change; `None` until they have been read for the first time.
    pub fn documents(&self) -> watch::Receiver<Option<Arc<Documents>>> {
        self.documents.clone()
    }

    /// Says on policy objects how loading them went, where that is news. One replica does.
    ///
    /// # Errors
    /// The first one; the others are said nevertheless. Try again with the same conditions.
    pub async fn report(&self, conditions: &[Condition]) -> Result<(), KubeError> {
        self.status.write(conditions).await
    }
}

struct Follower {
    caches: Caches,
    subscription: Subscription,
    admit_native: bool,
    documents: watch::Sender<Option<Arc<Documents>>>,
    /// Definitions of constraints that were applied.
    defined: Vec<Value>,
}

impl Follower {
    async fn follow(mut self) {
        let mut discoveries = self.caches.discoveries();
        loop {
            let discovery = discoveries.borrow_and_update().clone();
            let kinds: Vec<Arc<Kind>> = discovery.preferred().filter(|kind| kinds::is_policy(kind)).cloned().collect();
            self.subscription.follow(&kinds);
            self.wait_synced().await;
            while self.subscription.try_next().is_some() {}
            self.hand_over(&kinds);
            self.define_constraints().await;
            tokio::select! {
                Ok(()) = discoveries.changed() => {}
                _ = self.subscription.next() => tokio::time::sleep(BURST).await,
                () = tokio::time::sleep(FIRST_LISTS) => {}
            }
        }
    }

    async fn wait_synced(&self) {
        let waiting = async {
            while !self.subscription.is_synced() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        // What is not there by then is named in `unread`.
        let _ = tokio::time::timeout(FIRST_LISTS, waiting).await;
    }

    fn hand_over(&self, kinds: &[Arc<Kind>]) {
        let mut objects = Vec::new();
        let mut unread = Vec::new();
        for kind in kinds {
            let problem = self.caches.freshness(&kind.gvk).and_then(|freshness| match freshness.problem {
                None if !freshness.synced => Some("its first list is not complete".into()),
                problem => problem,
            });
            unread.extend(problem.map(|problem| (kind.gvk.clone(), problem)));
            objects.extend(self.caches.objects_of(kind, ""));
        }
        self.caches.set_inventory(kinds::inventory(&objects));
        let mut documents: Vec<Resource> = objects.iter().map(|object| self.document(object)).collect();
        documents.sort_by_cached_key(|document| {
            (document.kind().to_owned(), document.namespace().to_owned(), document.name().to_owned())
        });
        self.documents.send_if_modified(|known| {
            let same = known.as_ref().is_some_and(|known| {
                let pairs = || known.documents.iter().zip(&documents);
                known.unread == unread
                    && known.documents.len() == documents.len()
                    && pairs().all(|(a, b)| a.object == b.object)
            });
            if !same {
                *known = Some(Arc::new(Documents { documents, unread }));
            }
            !same
        });
    }

    /// The object as somebody wrote it: what the API server and controllers add is no part of the policy.
    fn document(&self, object: &Value) -> Resource {
        let mut object = object.clone();
        let native = kinds::is_native(&object) && !self.admit_native;
        if let Some(members) = object.as_object_mut() {
            members.remove("status");
            if let Some(metadata) = members.get_mut("metadata").and_then(Value::as_object_mut) {
                for field in ["uid", "resourceVersion", "generation", "creationTimestamp", "selfLink", "finalizers"] {
                    metadata.remove(field);
                }
                if native {
                    let annotations = metadata.entry("annotations");
                    if annotations.is_null() {
                        *annotations = Value::object(palisade_model::Map::new());
                    }
                    if let Some(annotations) = annotations.as_object_mut() {
                        annotations.insert(ADMISSION_ANNOTATION, Value::string("false"));
                    }
                }
            }
        }
        Resource::in_memory(object)
    }

    /// Defines the kinds of constraints, unless Gatekeeper does.
    async fn define_constraints(&mut self) {
        let discovery = self.caches.discovery();
        let Some(templates) = discovery.named("templates.gatekeeper.sh", "ConstraintTemplate") else { return };
        for template in self.caches.objects_of(templates, "") {
            let Some(definition) = definitions::constraint(&template) else { continue };
            if self.defined.contains(&definition) {
                continue;
            }
            match self.define(&definition).await {
                Ok(()) => {
                    self.defined.retain(|old| definitions::name_of(old) != definitions::name_of(&definition));
                    self.defined.push(definition);
                }
                Err(error) => tracing::warn!(%error, "the constraints of a template cannot be defined"),
            }
        }
    }

    async fn define(&self, definition: &Value) -> Result<(), KubeError> {
        let Some(name) = definitions::name_of(definition) else { return Ok(()) };
        let path = format!("/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}");
        let connection = self.caches.connection();
        match connection.get(&path).await {
            // Somebody else's definition, Gatekeeper's as a rule, is left alone.
            Ok(found) if !kinds::is_ours(&found) => return Ok(()),
            Err(error) if !error.is_not_found() => return Err(error),
            Err(_) if self.gatekeeper_is_installed().await? => return Ok(()),
            _ => {}
        }
        connection.apply(&path, definition, true).await.map(|_| ())
    }

    async fn gatekeeper_is_installed(&self) -> Result<bool, KubeError> {
        let path = "/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations/\
                    gatekeeper-validating-webhook-configuration";
        match self.caches.connection().get(path).await {
            Err(error) if error.is_not_found() => Ok(false),
            other => other.map(|_| true),
        }
    }
}
