//! `/api/v1`: everything that the command line and a console need, described by the code that serves it.
//!
//! A file per noun holds its views, filters and handlers and lists them as [`endpoint::Endpoint`]s, each with the
//! permission that it needs. [`routes`] mounts them; [`router`] puts what stands before all routes of the API listener
//! in place: identifiers, security headers, problem documents for whatever fails. Deliberately absent: who may do what
//! (`identity`) and how things are kept (`palisade-store`).

pub(crate) mod page;
pub(crate) mod problem;
