//! The table of capabilities: everything that the server does beside living, each in a file or folder below this one.
//!
//! A capability brings settings, routes, permissions, tables, jobs, tasks, metrics and codes, and keeps a state of its own.
//! [`CAPABILITIES`] is the one place that names them all: the configuration, the router, the OpenAPI document, the
//! permissions, the worker of jobs, `/metrics`, `palisade explain` and the reference pages are collected from it. The
//! server starts in phases (`serve`): first the [`Ground`], which all stand on; then each capability is plugged in, which
//! makes its state and starts nothing; then the tasks of all; then the listeners. So no capability depends on its place
//! in the table. Deliberately absent: what all share (`Context`).

mod administration;
mod admission;
mod changes;
mod cluster;
mod decisions;
mod description;
mod evaluate;
mod exceptions;
mod findings;
mod identity;
mod owners;
mod plug;
mod policies;
mod scope;
mod settings;
mod wire;

use palisade_identity::{Permission, Permissions};
use palisade_model::CodeEntry;

use crate::ServerError;
pub(crate) use admission::LAST_MOVE;
pub(crate) use description::{Rendered, info};
pub(crate) use findings::inventory;
pub use findings::inventory::{Inventory, Sight};
pub use plug::Brought;
pub(crate) use plug::{Ground, Plug};
pub use settings::Settings;

/// Everything that the server does.
pub const CAPABILITIES: &[Capability] = &[
    admission::CAPABILITY,
    policies::CAPABILITY,
    findings::CAPABILITY,
    decisions::CAPABILITY,
    exceptions::CAPABILITY,
    evaluate::CAPABILITY,
    cluster::CAPABILITY,
    identity::CAPABILITY,
    owners::CAPABILITY,
    changes::CAPABILITY,
    administration::CAPABILITY,
    description::CAPABILITY,
];

/// Something that the server does, with everything that it brings.
#[derive(Clone, Copy, Debug)]
pub struct Capability {
    /// Its name.
    pub id: &'static str,
    /// What it does.
    pub about: &'static str,
    /// Its sections of the configuration.
    pub settings: &'static [Settings],
    /// What its routes ask of callers; what several ask for is identity's.
    pub permissions: &'static [Permission],
    /// The tables of the store that are its own.
    pub tables: &'static [&'static str],
    /// What can be wrong with its input.
    pub codes: &'static [CodeEntry],
    /// Makes its state and hands in what it brings.
    plug: fn(&Ground<'_>, &mut Plug),
}

impl Capability {
    /// A capability that brings nothing but what `plug` hands in.
    const fn new(id: &'static str, about: &'static str, plug: fn(&Ground<'_>, &mut Plug)) -> Self {
        Self { id, about, settings: &[], permissions: &[], tables: &[], codes: &[], plug }
    }
}

/// The sections of the configuration, all together.
pub(crate) fn settings() -> impl Iterator<Item = &'static Settings> {
    CAPABILITIES.iter().flat_map(|capability| capability.settings)
}

/// What routes ask of callers, all together.
pub(crate) fn permissions() -> Permissions {
    Permissions::all(CAPABILITIES.iter().flat_map(|capability| capability.permissions).copied())
}

/// Every capability, plugged in.
pub(crate) fn plug(ground: &Ground<'_>) -> Result<Plug, ServerError> {
    let mut plug = Plug::default();
    for capability in CAPABILITIES {
        plug.begin(capability.id);
        (capability.plug)(ground, &mut plug);
    }
    plug.checked()
}

#[cfg(test)]
mod tests;
