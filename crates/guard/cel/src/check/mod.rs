//! Checks types.
