//! Reviews as an API server sends them, before policies of every language.

mod corpora;
mod denial;
mod material;
mod parity;
mod reach;
mod requests;
