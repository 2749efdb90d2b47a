//! The table of tables: what backups hold, in this order, those that others refer to first.

use crate::table::Table;

/// Every table but that of the migrations.
pub(crate) const TABLES: &[Table] = &[
    crate::resources::RESOURCES,
    crate::findings::FINDINGS,
    crate::policies::POLICIES,
    crate::policies::POLICY_VERSIONS,
    crate::decisions::DECISIONS,
    crate::decisions::DECISION_POLICIES,
    crate::exceptions::EXCEPTIONS,
    crate::owners::TEAMS,
    crate::owners::SERVICES,
    crate::owners::ENTITIES,
    crate::states::STATES,
    crate::audit::AUDIT,
    crate::accounts::ACCOUNTS,
    crate::accounts::ROLE_BINDINGS,
    crate::sessions::SESSIONS,
    crate::tokens::TOKENS,
    crate::agents::AGENTS,
    crate::login_states::LOGIN_STATES,
    crate::locks::LOCKS,
    crate::idempotency::IDEMPOTENCY,
    crate::changes::COUNTERS,
    crate::changes::CHANGES,
    crate::jobs::JOBS,
    crate::jobs::JOB_STEPS,
];

/// The names of all tables.
pub fn table_names() -> impl Iterator<Item = &'static str> {
    TABLES.iter().map(|table| table.name)
}

/// Tables that are no more, which backups of an older schema may hold.
pub(crate) const RETIRED: &[&str] = &["settings"];
