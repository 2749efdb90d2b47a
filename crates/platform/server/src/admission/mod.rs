//! The webhook endpoint: bytes of a review in, bytes of its answer out, whatever happens in between.
