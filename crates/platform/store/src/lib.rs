//! The state of the control plane, on SQLite or PostgreSQL.
