//! What CEL mutations do with the values of their expressions: apply configurations and JSON patches.

mod merge;
mod shapes;
