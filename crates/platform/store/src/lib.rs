//! The state of the control plane, on SQLite or PostgreSQL.
//!
//! One [`Store`] with one repository layer: the same SQL runs on both databases, and the same tests run on both. A
//! file per noun holds its record, its table, its filter and the methods of [`Store`] that read and write it; `tables` lists
//! the tables, `database` opens
//! the pools and decides what is tried again, `statement` builds SQL from fixed text and bound values.
//!
//! Deliberately absent: who may see what (the server decides, and narrows a list by its `teams`), and any judgement
//! about policies.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take the time as it is"))]

mod accounts;
mod agents;
mod audit;
mod backup;
mod changes;
mod config;
mod database;
mod decisions;
mod dialect;
mod error;
mod exceptions;
mod findings;
mod fixes;
mod idempotency;
mod jobs;
mod locks;
mod login_states;
mod migrations;
mod owners;
mod page;
mod policies;
mod resources;
mod retention;
mod row;
mod secret;
mod sessions;
mod statement;
mod states;
mod store;
mod table;
mod tables;
mod tokens;

pub use accounts::{Account, AccountFilter, Login, Principal, Role, RoleBinding};
pub use agents::{Agent, NewAgent};
pub use audit::{AuditEntry, AuditFilter, NewAuditEntry};
pub use changes::{Change, NewChange};
pub use config::StoreConfig;
pub use decisions::{DecisionCount, DecisionFilter, DecisionGroup, DecisionRecord};
pub use error::StoreError;
pub use exceptions::{Exception, ExceptionFilter, ExceptionSelector, ExceptionState, NewException, Receipt, Ruling};
pub use findings::{
    FindingChanges, FindingCount, FindingFilter, FindingGroup, FindingOrder, FindingRecord, FindingState, Observation,
    StoredFinding,
};
pub use fixes::Fix;
pub use idempotency::{Claim, Idempotency, IdempotencyKey};
pub use jobs::JobFilter;
pub use login_states::LoginState;
pub use owners::{Catalogue, CatalogueSize, Entity, Service, Team};
pub use page::{Cursor, Listed, Page};
pub use policies::{PolicyFilter, PolicyRecord, PolicySighting, PolicyStatus, PolicyVersion};
pub use resources::{ResourceFilter, ResourceRecord, resource_id};
pub use secret::SecretHash;
pub use sessions::{NewSession, Session};
pub use store::Store;
pub use tables::table_names;
pub use tokens::{NewToken, Token, TokenFilter};
