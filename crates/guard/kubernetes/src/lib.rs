//! What a Kubernetes API server makes of an object before it asks anybody: it drops what is empty, writes amounts in one
//! form, and fills in the defaults of its kinds.
//!
//! A manifest says little; the policies of a cluster see all of it. Whoever judges a manifest in place of a cluster puts
//! [`admitted`] before its policies, so that a rule about `spec.replicas` finds the 1 that nobody wrote. At admission
//! the API server has done it.
//!
//! The kinds, fields and defaults are data, [`data/1.35.txt`](../data/1.35.txt), read by [`table`]. A real API server
//! was asked for each of them (`cargo x defaults`), as its published schemas name few. Defaults that depend on other
//! fields are code, [`conditions`]; the table marks them, and a test compares all with what the server answered.
//!
//! Deliberately absent: what admission plugins add (a service account's token, tolerations, a default storage class),
//! what only a cluster knows (addresses, ports, identifiers), `status`, and required fields that nobody wrote, which the
//! API server refuses.

mod conditions;
mod defaults;
mod table;

pub use defaults::admitted;
