//! Connections: accepted, bounded, timed, drained.
