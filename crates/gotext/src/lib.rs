//! The text forms of Go's standard library that policies depend on: durations, times, numbers, JSON, URLs, patterns,
//! `Sprintf`, `text/template`.
//!
//! Kyverno, OPA and Kubernetes are written in Go, and what they accept and print is what Go does. All of it is here once,
//! pure, for every engine. Modules are called after Go's packages, with `go_` in front where a crate of that name is
//! in use beside them. The crate stands above `palisade-model`, whose values `go_json` prints; nothing in the
//! vocabulary needs Go's forms (Kubernetes' quantities have their own). Deliberately absent: reading clocks and zones of
//! the machine.

pub mod go_base64;
pub mod go_duration;
pub mod go_float;
pub mod go_fmt;
pub mod go_glob;
pub mod go_json;
pub mod go_regex;
pub mod go_sprint;
pub mod go_template;
pub mod go_time;
pub mod go_url;
pub mod go_utf8;
pub mod random_text;
