//! Kyverno's CEL libraries: look-ups, images, encodings, hashes, time, and what its policy kinds bring.
//!
//! Names, overloads and results are those of `kyverno/sdk`'s `extensions/cel/libs`, PascalCase and camelCase twins
//! included. Whatever reaches out of the evaluation goes through [`palisade_policy::Environment`]. Signatures are not
//! verified yet: the functions exist and always fail.

pub(crate) mod compat;
mod encoding;
pub mod exceptions;
pub mod generator;
mod global_context;
mod handle;
mod hash;
mod http;
mod image;
mod image_data;
pub mod images;
mod numbers;
mod random;
mod resource;
#[cfg(test)]
pub(super) mod tests;
mod time;
mod transform;
mod user;
mod verification;
mod x509;

use palisade_model::Str;

use super::Library;

pub use compat::library as or_value_library;
pub use image::ImageName;
pub use verification::library as verification_library;

/// All libraries that Kyverno's cluster-wide CEL policies have beside Kubernetes'. Those of single kinds are apart:
/// [`generator::library`], [`verification_library`], and [`or_value_library`] for the leniency that all kinds have.
pub fn libraries() -> Vec<Library> {
    libraries_in(None)
}

/// The libraries of a namespaced policy, whose look-ups are bound to its namespace and do not name one.
pub fn namespaced_libraries(namespace: impl Into<Str>) -> Vec<Library> {
    libraries_in(Some(namespace.into()))
}

fn libraries_in(namespace: Option<Str>) -> Vec<Library> {
    vec![
        encoding::gzip_library(),
        encoding::json_library(),
        encoding::yaml_library(),
        global_context::library(),
        hash::library(),
        http::library(),
        image::library(),
        image_data::library(),
        numbers::library(),
        random::library(),
        resource::library(namespace),
        time::library(),
        transform::library(),
        user::library(),
        x509::library(),
    ]
}
