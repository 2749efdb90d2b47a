//! Reading legacy documents, which is done as for CEL policies.

pub use palisade_cel::admission::{Node, Reader};
