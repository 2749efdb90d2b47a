//! The kit that the routes of the HTTP API are made of.
//!
//! | file | what |
//! |---|---|
//! | `endpoint` | one declaration per route: method, path, permission, handler; its description follows from its types |
//! | `extract`, `page`, `answer`, `wire` | what handlers take and answer with, and how it is written |
//! | `problem/` | every way in which a request can fail, and the pages that explain it |
//! | `routes` | the only way to mount an endpoint, behind the check of its permission |
//! | `rate`, `idempotency`, `tag` | what stands between that check and the handler |
//! | `middleware` | what stands before everything: identifiers, security headers, problem documents |
//! | `openapi` | the document of all routes |
//!
//! Deliberately absent: who calls and what they may do. Whoever knows implements [`Guard`] over a [`Permission`] of its
//! own; the kit sees to it that no handler is reached around it.

#![cfg_attr(test, allow(clippy::disallowed_methods, reason = "tests take the time as it is"))]

mod answer;
mod endpoint;
mod extract;
pub mod idempotency;
mod middleware;
pub mod openapi;
mod page;
pub mod problem;
mod rate;
mod routes;
mod tag;
pub mod wire;

pub use answer::{Created, Done, Made};
pub use endpoint::{Access, Description, Endpoint, Input, Output, PREFIX};
pub use extract::{Body, Limits, NAME, Nothing, Part, Query, SHA_256, Shape, UUID, Yaml, is_digest, is_name, is_uuid};
pub use middleware::{no_route, outer};
pub use page::{List, Listing};
pub use problem::{Code, Problem};
pub use rate::Rates;
pub use routes::{Guard, Kit, Permission, Registered, Routes};
