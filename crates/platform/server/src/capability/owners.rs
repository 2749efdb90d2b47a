//! Owners: which team and service answer for what. The index and the import of catalogues are in [`crate::owners`].

mod catalogues;
mod teams;

use std::sync::Arc;

use super::{Capability, Ground, Plug, Settings};
use crate::owners::{CODES, OwnersConfig, keep_current};

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    settings: &[Settings::of::<OwnersConfig>(OwnersConfig::SECTION)],
    permissions: &[catalogues::MANAGE_OWNERS],
    tables: &["teams", "services", "entities"],
    codes: CODES,
    ..Capability::new("owners", "which team and service answer for what", plug)
};

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    let context = ground.context;
    let state = Arc::new(context.clone());
    plug.routes(&state, catalogues::endpoints());
    plug.routes(&state, teams::endpoints());
    let (config, store) = (context.config.owners.clone(), context.store.clone());
    let (owners, clock) = (context.owners.clone(), context.clock.clone());
    plug.task("owners", move |stop| keep_current(config, store, owners, clock, stop));
}
