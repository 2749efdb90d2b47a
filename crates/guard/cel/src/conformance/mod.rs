//! The conformance suite of the CEL specification.
