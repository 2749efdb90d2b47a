//! Identity: accounts, sessions, tokens and agents, over `palisade-identity`, which checks callers before every route.

use palisade_identity::IdentityConfig;
use palisade_identity::permission::OWN;

use super::{Capability, Ground, Plug, Settings};

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    settings: &[Settings::of::<IdentityConfig>(IdentityConfig::SECTION)],
    permissions: OWN,
    tables: &["accounts", "role_bindings", "sessions", "tokens", "agents", "login_states"],
    ..Capability::new("identity", "who calls, and what they may do", plug)
};

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    plug.mounted(ground.identity.endpoints());
}
