//! __Title__: say what it does and why it is here.
//!
//! Deliberately absent: say what is left to others.

mod config;
mod job;
mod routes;

use std::sync::Arc;

use palisade_identity::{Permission, Reach, Role};

use super::{Capability, Ground, Plug, Settings};
use crate::Context;
use config::__Name__Config;

/// Add to what it keeps.
const MANAGE: Permission = Permission::new(
    "manage-__kebab__",
    "add to what the capability keeps",
    Reach::Platform,
    &[Role::Operator, Role::Admin],
);

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    settings: &[Settings::of::<__Name__Config>(__Name__Config::SECTION)],
    permissions: &[MANAGE],
    tables: &["__name__"],
    ..Capability::new("__kebab__", "say what it does", plug)
};

/// What its routes share.
struct State {
    context: Context,
}

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    let context = ground.context.clone();
    let config: __Name__Config = context.config.section(&__Name__Config::SECTION);
    plug.every(config.every, job::KIND);
    plug.job(job::Clear { store: context.store.clone(), clock: context.clock.clone(), keep: config.keep });
    plug.routes(&Arc::new(State { context }), routes::endpoints());
}
