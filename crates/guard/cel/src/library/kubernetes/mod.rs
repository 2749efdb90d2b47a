//! Kubernetes' CEL libraries: URLs, regular expressions, lists, quantities, addresses, formats, versions, patches.
//!
//! Names, overloads and errors are those of the API server's `pkg/cel/library`. `authorizer` can be written and
//! compiled, but a decision is an evaluation error: nothing offline knows who may do what.

pub mod authorizer;
mod cidr;
mod format;
mod ip;
mod jsonpatch;
mod lists;
pub mod object;
mod quantity;
mod regex;
mod semver;
mod url;

pub use jsonpatch::JsonPatch;

use super::Library;

/// All libraries that Kubernetes' admission policies have.
pub fn libraries() -> Vec<Library> {
    let mut libraries = base_libraries();
    libraries.extend([authorizer::library(), jsonpatch::library(), object::library()]);
    libraries
}

/// The libraries that Kyverno's CEL policies share with Kubernetes' own.
pub fn base_libraries() -> Vec<Library> {
    vec![
        cidr::library(),
        format::library(),
        ip::library(),
        lists::library(),
        quantity::library(),
        regex::library(),
        semver::library(),
        url::library(),
    ]
}

/// Addresses as the CEL specification's network extension has them.
pub fn network_library() -> Vec<Library> {
    vec![cidr::library(), ip::specification_library()]
}

/// What building and changing objects needs: `Object{...}`, `JSONPatch{...}` and `jsonpatch.escapeKey`.
pub fn mutation_libraries() -> Vec<Library> {
    vec![jsonpatch::library(), object::library()]
}

#[cfg(test)]
mod tests;
