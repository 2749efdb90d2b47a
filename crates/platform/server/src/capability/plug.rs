//! What capabilities stand on, and what they hand in.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use palisade_api::Access;
use palisade_identity::{Endpoint, Identity};
use palisade_model::Str;
use palisade_runtime::jobs::{Handler, Recurring, Worker};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::{Inventory, Rendered};
use crate::admission::Admission;
use crate::cluster::ClusterSide;
use crate::error::Tasks;
use crate::{Context, ServerError};

/// What is there before any capability.
pub(crate) struct Ground<'a> {
    /// What all share.
    pub(crate) context: &'a Context,
    /// Who checks callers.
    pub(crate) identity: &'a Arc<Identity>,
    /// The cluster, or none.
    pub(crate) cluster: &'a ClusterSide,
    /// The authorities by which the admission listener is to be trusted.
    pub(crate) bundles: watch::Receiver<Str>,
    /// Manifests to judge beside or instead of a cluster.
    pub(crate) inventory: Option<Arc<dyn Inventory>>,
    /// Where the OpenAPI document will be.
    pub(crate) document: Rendered,
    /// Set when the listeners stop: streams end.
    pub(crate) streams: CancellationToken,
    /// Whether requests are traced.
    pub(crate) traces: bool,
}

type Task = Box<dyn FnOnce(CancellationToken) -> BoxFuture<'static, Result<(), ServerError>> + Send>;

/// What a capability brought beside what its row of the table says.
#[derive(Clone, Debug, Default)]
pub struct Brought {
    /// Its name.
    pub id: &'static str,
    /// Its routes: method, path, and the permission that each asks for.
    pub routes: Vec<(String, Option<&'static str>)>,
    /// What runs as long as the server.
    pub tasks: Vec<&'static str>,
    /// The kinds of jobs that it does.
    pub jobs: Vec<&'static str>,
}

/// What capabilities hand in.
#[derive(Default)]
pub(crate) struct Plug {
    brought: Vec<Brought>,
    endpoints: Vec<Endpoint<()>>,
    tasks: Vec<(&'static str, Task)>,
    handlers: Vec<Arc<dyn Handler>>,
    recurring: Vec<Recurring>,
    reviews: Option<Arc<Admission>>,
    failure: Option<ServerError>,
}

impl Plug {
    /// What is handed in from now on is of the capability `id`.
    pub(super) fn begin(&mut self, id: &'static str) {
        self.brought.push(Brought { id, ..Brought::default() });
    }

    fn note(&mut self, note: impl FnOnce(&mut Brought)) {
        if let Some(brought) = self.brought.last_mut() {
            note(brought);
        }
    }

    /// Routes whose handlers get `state`.
    pub(crate) fn routes<S: Clone + Send + Sync + 'static>(&mut self, state: &S, endpoints: Vec<Endpoint<S>>) {
        self.mounted(endpoints.into_iter().map(|endpoint| endpoint.with_state(state.clone())).collect());
    }

    /// Routes that have their state.
    pub(crate) fn mounted(&mut self, endpoints: Vec<Endpoint<()>>) {
        let route = |endpoint: &Endpoint<()>| {
            let permission = match endpoint.access() {
                Access::Needs(permission) => Some(permission.as_str()),
                Access::Open => None,
            };
            (format!("{} {}", endpoint.method(), endpoint.path()), permission)
        };
        self.note(|brought| brought.routes.extend(endpoints.iter().map(route)));
        self.endpoints.extend(endpoints);
    }

    /// A task that runs until the signal to stop.
    pub(crate) fn task<F: Future<Output = Result<(), ServerError>> + Send + 'static>(
        &mut self,
        name: &'static str,
        task: impl FnOnce(CancellationToken) -> F + Send + 'static,
    ) {
        self.note(|brought| brought.tasks.push(name));
        self.tasks.push((name, Box::new(move |stop| task(stop).boxed())));
    }

    /// Does the jobs of a kind.
    pub(crate) fn job(&mut self, handler: impl Handler + 'static) {
        self.note(|brought| brought.jobs.push(handler.kind()));
        self.handlers.push(Arc::new(handler));
    }

    /// Asks for a job of this kind again and again.
    pub(crate) fn every(&mut self, pause: Duration, kind: &'static str) {
        self.recurring.push(Recurring::every(pause, kind));
    }

    /// Who answers reviews.
    pub(crate) fn reviews(&mut self, admission: Arc<Admission>) {
        self.reviews = Some(admission);
    }

    /// The capability cannot do its work, and so the server does not start.
    pub(crate) fn failed(&mut self, error: ServerError) {
        self.failure.get_or_insert(error);
    }

    /// What was handed in, where no capability failed.
    pub(super) fn checked(mut self) -> Result<Self, ServerError> {
        self.failure.take().map_or(Ok(self), Err)
    }

    /// Starts the tasks of all, and the worker of their jobs.
    pub(crate) fn start(&mut self, worker: Worker, drain: Duration, tasks: &mut Tasks) {
        for (name, task) in self.tasks.drain(..) {
            let task = task(tasks.stop());
            tasks.spawn(name, task);
        }
        let worker = self.handlers.drain(..).fold(worker, Worker::with);
        let worker = self.recurring.drain(..).fold(worker, Worker::recurring);
        let stop = tasks.stop();
        tasks.spawn("jobs", async move {
            worker.run(stop, drain).await;
            Ok(())
        });
    }

    /// Every route.
    pub(crate) fn endpoints(&mut self) -> Vec<Endpoint<()>> {
        std::mem::take(&mut self.endpoints)
    }

    /// What each capability brought.
    pub(crate) fn brought(&self) -> Vec<Brought> {
        self.brought.clone()
    }

    /// Who answers reviews; nobody where no capability does.
    pub(crate) fn admission(&self) -> Option<Arc<Admission>> {
        self.reviews.clone()
    }
}
