//! Decisions on disk before they are answered, and from there into the store.
