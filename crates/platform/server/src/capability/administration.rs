//! Running the control plane itself: how it is, who did what to it, backups, its jobs, and what is
//! kept for how long.

pub(crate) mod audit;
mod backups;
mod housekeeping;
mod jobs;
mod status;

use std::sync::Arc;

use super::{Capability, Ground, Plug};
use backups::Backups;
use housekeeping::{PRUNE, RETENTION, Retention};

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    permissions: &[audit::READ_AUDIT, backups::MANAGE_BACKUPS, jobs::MANAGE_JOBS],
    tables: &["audit", "idempotency", "jobs", "job_steps", "locks"],
    ..Capability::new("administration", "status, the audit log, backups, jobs, retention", plug)
};

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    let context = Arc::new(ground.context.clone());
    plug.routes(&context, audit::endpoints());
    plug.routes(&context, jobs::endpoints());
    plug.routes(&context, status::endpoints());
    plug.routes(&Arc::new(Backups::new(&context)), backups::endpoints());
    plug.job(Retention { store: context.store.clone(), clock: context.clock.clone() });
    plug.every(PRUNE, RETENTION);
    plug.task("watching the store", move |stop| housekeeping::watch_store((*context).clone(), stop));
}
