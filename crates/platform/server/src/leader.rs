//! Tasks that only one process may run, under locks of the store.
