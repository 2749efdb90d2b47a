//! What every policy language implements, and what every checkpoint calls.
//!
//! A checkpoint (the `check` command, an admission webhook, a background scan, a replay) builds a [`Request`] and an
//! [`Environment`], and asks a ruleset (`palisade-verdict`) for a judgement. A language (Kyverno,
//! ValidatingAdmissionPolicy, Rego) turns policy documents into [`Policy`] objects through its [`Language`] entry.
//! Because both sides meet only here, a policy gives one verdict everywhere.
//!
//! Deliberately absent: reading files, clocks and networks. What a policy may look up is a [`Lookups`] that the
//! checkpoint supplies; the time is a field of the environment.

pub mod address;
pub mod environment;
mod evaluate;
pub mod language;
pub mod lookups;
pub mod outcome;
pub mod policy;
pub mod reach;
pub mod reads;
pub mod recording;
pub mod request;
pub mod schedule;
pub mod steps;
pub mod testing;
pub mod upkeep;

pub use address::Address;
pub use environment::{Environment, Listener, Stop, Variables};
pub use evaluate::evaluate;
pub use language::{Language, Loaded, PolicyDocument, Programs};
pub use lookups::{ApiCall, LookupError, Lookups, Namespace, ObjectQuery, Offline, Unanswered};
pub use outcome::{Effect, Enforcement, Phase, RuleOutcome};
pub use policy::{Policy, PolicyInfo, PolicyMeta, RuleInfo, digest, reference_of};
pub use reach::{FailurePolicy, Matched, Objects, Reach};
pub use reads::Reads;
pub use recording::{Asked, Recorded, Recording};
pub use request::{AdmissionRequest, Completion, GroupVersion, Operation, Payload, Request, Requested, UserInfo};
pub use schedule::Schedule;
pub use upkeep::{RuleUpkeep, Upkeep};
