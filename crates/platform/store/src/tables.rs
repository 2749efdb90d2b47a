//! The table of tables: what backups hold, in this order, those that others refer to first.

use crate::accounts::{ACCOUNTS, ROLE_BINDINGS};
use crate::agents::AGENTS;
use crate::audit::AUDIT;
use crate::changes::{CHANGES, COUNTERS};
use crate::decisions::{DECISION_POLICIES, DECISIONS};
use crate::exceptions::EXCEPTIONS;
use crate::findings::FINDINGS;
use crate::idempotency::IDEMPOTENCY;
use crate::jobs::{JOB_STEPS, JOBS};
use crate::locks::LOCKS;
use crate::login_states::LOGIN_STATES;
use crate::owners::{ENTITIES, SERVICES, TEAMS};
use crate::policies::{POLICIES, POLICY_VERSIONS};
use crate::resources::RESOURCES;
use crate::sessions::SESSIONS;
use crate::states::STATES;
use crate::table::Table;
use crate::tokens::TOKENS;

/// Every table but that of the migrations.
pub(crate) const TABLES: &[Table] = &[
    RESOURCES,
    FINDINGS,
    POLICIES,
    POLICY_VERSIONS,
    DECISIONS,
    DECISION_POLICIES,
    EXCEPTIONS,
    TEAMS,
    SERVICES,
    ENTITIES,
    STATES,
    AUDIT,
    ACCOUNTS,
    ROLE_BINDINGS,
    SESSIONS,
    TOKENS,
    AGENTS,
    LOGIN_STATES,
    LOCKS,
    IDEMPOTENCY,
    COUNTERS,
    CHANGES,
    JOBS,
    JOB_STEPS,
];

/// The names of all tables.
pub fn table_names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name)
}

/// Tables that are no more, which backups of an older schema may hold.
pub(crate) const RETIRED: &[&str] = &["settings"];
