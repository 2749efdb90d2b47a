//! Builds the programs that the tests of the control plane run: kube-apiserver, kubectl, etcd and helm, from their Go
//! modules, into a cache folder outside the checkout that is named after their versions. `crates/platform/testkit` looks
//! for them there. Deliberately absent: downloads of ready-made programs.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use crate::say;
use crate::shell::{Result, output, run};

/// The Go module that pins Kubernetes and etcd with all that they are built from.
const MODULE: &str = "crates/platform/testkit/tools";

/// The programs' versions, as the name of the folder; the testkit reads the same file.
const RELEASE: &str = include_str!("../../crates/platform/testkit/tools/RELEASE");

/// Builds what has not been built.
pub(crate) fn install() -> Result<()> {
    let cache = cache()?;
    let place = cache.join(RELEASE.trim());
    if place.exists() {
        say(&format!("tools are built: {}", place.display()));
        return Ok(());
    }
    if !has_go() {
        return Err("Go is needed to build the tools; install it from your system's packages and run this again".into());
    }
    fs::create_dir_all(&cache).map_err(|error| format!("creating `{}`: {error}", cache.display()))?;
    let lock = cache.join("lock");
    let held = File::create(&lock).and_then(|file| file.lock().map(|()| file));
    let _held = held.map_err(|error| format!("locking `{}`: {error}", lock.display()))?;
    // Another run may have built them while this one waited for the lock.
    if place.exists() { Ok(()) } else { build(&cache.join("building"), &place) }
}

/// What `cargo x test` does: builds the tools where Go is installed, else says what will be skipped.
pub(crate) fn install_if_possible() -> Result<()> {
    if has_go() || cache()?.join(RELEASE.trim()).exists() {
        return install();
    }
    say("no Go here to build kube-apiserver, kubectl, etcd and helm with: tests against a real API server are skipped");
    Ok(())
}

/// Builds into `staging` and renames that to `place`, so that a folder that is there is complete.
fn build(staging: &Path, place: &Path) -> Result<()> {
    let begun = Instant::now();
    say(&format!("building {}; 10 to 15 minutes on two cores, once per version", RELEASE.trim()));
    fs::create_dir_all(staging).map_err(|error| format!("creating `{}`: {error}", staging.display()))?;
    let kubernetes = version("kubernetes")?;
    let mut numbers = kubernetes.split('.');
    let (major, minor) = (numbers.next().unwrap_or_default(), numbers.next().unwrap_or_default());
    // What `kubectl version` and the API server's `/version` say.
    let stamp = "-X k8s.io/component-base/version";
    let flags = format!(
        "-s -w {stamp}.gitVersion=v{kubernetes} {stamp}.gitMajor={major} {stamp}.gitMinor={minor} {stamp}.gitTreeState=clean"
    );
    for (program, package) in [
        ("etcd", "go.etcd.io/etcd/server/v3"),
        ("kubectl", "k8s.io/kubernetes/cmd/kubectl"),
        ("kube-apiserver", "k8s.io/kubernetes/cmd/kube-apiserver"),
    ] {
        say(&format!("building {program}"));
        let path = staging.join(program);
        let mut go = go();
        go.current_dir(MODULE).args(["build", "-trimpath", "-ldflags", &flags, "-o"]).arg(path).arg(package);
        run(&mut go)?;
    }
    say("building helm");
    let helm = format!("helm.sh/helm/v3/cmd/helm@v{}", version("helm")?);
    run(go().env("GOBIN", staging).args(["install", "-trimpath", "-ldflags", "-s -w", &helm]))?;
    fs::rename(staging, place).map_err(|error| format!("renaming `{}`: {error}", staging.display()))?;
    say(&format!("built in {} s: {}", begun.elapsed().as_secs(), place.display()));
    Ok(())
}

/// Go, without the caller's flags: the module's own files decide.
fn go() -> Command {
    let mut command = Command::new("go");
    command.env("CGO_ENABLED", "0").env("GOTOOLCHAIN", "local").env_remove("GOFLAGS").env_remove("GOBIN");
    command
}

fn has_go() -> bool {
    output(Command::new("go").arg("version")).is_ok()
}

/// The version of `program` in the release's name, such as `1.35.4`.
fn version(program: &str) -> Result<&'static str> {
    let mut words = RELEASE.trim().split('-');
    words.find(|word| *word == program);
    words.next().ok_or_else(|| format!("`{MODULE}/RELEASE` names no version of {program}"))
}

/// `${XDG_CACHE_HOME:-~/.cache}/palisade/tools`.
fn cache() -> Result<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let cache = set("XDG_CACHE_HOME").or_else(|| set("HOME").map(|home| home.join(".cache")));
    cache.map(|cache| cache.join("palisade/tools")).ok_or_else(|| "neither XDG_CACHE_HOME nor HOME is set".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_names_what_the_module_pins() {
        let module = fs::read_to_string(crate::root().join(MODULE).join("go.mod")).unwrap();
        for (program, package) in [("kubernetes", "k8s.io/kubernetes"), ("etcd", "go.etcd.io/etcd/server/v3")] {
            let pinned = format!("{package} v{}", version(program).unwrap());
            assert!(module.lines().any(|line| line.trim().starts_with(&pinned)), "go.mod does not pin `{pinned}`");
        }
        assert!(version("helm").unwrap().starts_with("3."));
    }
}
