//! Owners: who answers for what, from catalogue files.
