//! Where the programs built by `cargo x tools` are: outside the checkout, in a folder named after their versions.

use std::path::PathBuf;

use crate::skip::Skip;

/// The versions, as the name of the folder. xtask reads the same file.
const RELEASE: &str = include_str!("../tools/RELEASE");

/// The path of `kube-apiserver`, `kubectl`, `etcd` or `helm`: in `PALISADE_TOOLS` if that is set, else in the cache.
///
/// # Errors
/// The program has not been built on this machine.
#[track_caller]
pub fn tool(name: &str) -> Result<PathBuf, Skip> {
    let folder = std::env::var_os("PALISADE_TOOLS")
        .map(PathBuf::from)
        .or_else(|| cache().map(|cache| cache.join("tools").join(RELEASE.trim())));
    let path = folder.unwrap_or_default().join(name);
    if path.is_file() {
        return Ok(path);
    }
    Err(Skip::new(format!(
        "tests with `{name}`: it is not built here; `cargo x tools` builds it where Go is installed"
    )))
}

/// The folder for what may be built again: `${XDG_CACHE_HOME:-~/.cache}/palisade`.
pub(crate) fn cache() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache"))).map(|cache| cache.join("palisade"))
}
