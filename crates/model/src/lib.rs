//! The vocabulary every Palisade crate speaks: values, spans, diagnostics, resources, verdicts, findings.
//!
//! Nothing here does I/O, reads a clock or holds global state. Engines take these types and return them, so that
//! the same input gives the same verdict at every checkpoint. Parsing files into [`Value`] and [`SpanTree`] is the
//! work of `palisade-document`; deciding anything about them is the work of the job crates.

pub mod address;
pub mod budget;
pub mod decision;
pub mod diagnostic;
pub mod facts;
pub mod finding;
mod hex;
pub mod image_reference;
pub mod nearest;
pub mod owner;
pub mod patch;
pub mod path;
pub mod quantity;
pub mod relation;
pub mod resource;
pub mod semantic_version;
pub mod span;
pub mod value;
pub mod verdict;
pub mod wildcard;

pub use address::Address;
pub use budget::{Budget, Spent};
pub use decision::{Actor, Checkpoint, Decision, Subject, VerdictCounts};
pub use diagnostic::{CodeEntry, Diagnostic, Label, Level};
pub use finding::{Control, Disposition, Finding, Fingerprint, Part, PolicyRef, Waiver};
pub use hex::hex;
pub use nearest::nearest;
pub use owner::Owner;
pub use path::{Path, Segment};
pub use quantity::Quantity;
pub use relation::Relation;
pub use resource::{GroupVersionKind, Origin, Resource};
pub use span::{Location, Position, Source, Span, SpanEntry, SpanTree};
pub use value::{Map, Str, Value};
pub use verdict::{Severity, Verdict};
