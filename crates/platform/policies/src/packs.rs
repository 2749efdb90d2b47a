//! Built-in packs as a source of policies: `pack:kubernetes`, `pack:kubernetes/baseline`, `pack:kubernetes/RULE`.
//!
//! A selector stands wherever a policy path does, so that built-in and own policies, exceptions included, are loaded
//! together.

use std::path::{Path, PathBuf};

use palisade_document::{Document, Limits, parse};
use palisade_model::{Resource, nearest};
use palisade_packs::{Entry, PACKS, Pack};

/// What a run uses that names no policies at all.
pub const DEFAULT: &str = "pack:kubernetes";

/// How selectors of packs begin.
pub const PREFIX: &str = "pack:";

/// A selector that names nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct UnknownPack {
    /// What was asked for.
    pub message: String,
    /// What there is.
    pub help: String,
}

/// Which side of a pack is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The rules, for commands that judge.
    Rules,
    /// The fixes of the rules that have one, for `palisade mutate`.
    Fixes,
}

/// Whether a policy path names a pack.
pub fn is_selector(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.starts_with(PREFIX))
}

/// The paths that are files, and the policies of the packs that the others name.
pub fn resolve(paths: Vec<PathBuf>, side: Side) -> Result<(Vec<PathBuf>, Vec<Resource>), UnknownPack> {
    let (selectors, files): (Vec<_>, Vec<_>) = paths.into_iter().partition(|path| is_selector(path));
    let mut chosen: Vec<(&Pack, &Entry)> = Vec::new();
    for selector in &selectors {
        for (pack, entry) in select(&selector.to_string_lossy())? {
            if !chosen.iter().any(|(_, other)| std::ptr::eq(*other, entry)) {
                chosen.push((pack, entry));
            }
        }
    }
    Ok((files, chosen.into_iter().flat_map(|(pack, entry)| documents(pack, entry, side)).collect()))
}

/// The rules that `selector` names.
fn select(selector: &str) -> Result<Vec<(&'static Pack, &'static Entry)>, UnknownPack> {
    let name = selector.strip_prefix(PREFIX).unwrap_or(selector);
    let (id, what) = name.split_once('/').unwrap_or((name, ""));
    let Some(pack) = PACKS.iter().find(|pack| pack.id == id) else {
        let known: Vec<_> = PACKS.iter().map(|pack| format!("`{PREFIX}{}`", pack.id)).collect();
        return Err(UnknownPack {
            message: format!("no built-in pack is called `{id}`"),
            help: format!("{}there is {}", meant(id, PACKS.iter().map(|pack| pack.id)), known.join(", ")),
        });
    };
    let rules = pack.select(what);
    if rules.is_empty() {
        let rules = pack.select("all").into_iter().map(|entry| entry.id);
        let near = meant(what, pack.groups.iter().map(|group| group.id).chain(rules));
        let groups: Vec<_> = pack.groups.iter().map(|group| format!("`{}`", group.id)).collect();
        return Err(UnknownPack {
            message: format!("the pack `{id}` has no group and no rule called `{what}`"),
            help: format!(
                "{near}its groups are {} and `all`; `palisade list policies -p {PREFIX}{id}/all` shows its rules",
                groups.join(", ")
            ),
        });
    }
    Ok(rules.into_iter().map(|entry| (*pack, entry)).collect())
}

/// The name that was meant, where one is near.
fn meant(name: &str, known: impl Iterator<Item = &'static str>) -> String {
    nearest(name, known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default()
}

/// The policies of one side of a rule.
pub fn documents(pack: &Pack, entry: &Entry, side: Side) -> Vec<Resource> {
    let (file, text) = match side {
        Side::Rules => ("rule.yaml", Some(entry.text)),
        Side::Fixes if pack.defaults => ("rule.yaml", Some(entry.text)),
        Side::Fixes => ("fix.yaml", entry.fix),
    };
    let Some(text) = text else { return Vec::new() };
    let name = format!("{PREFIX}{}/{}/{}/{file}", pack.id, entry.group, entry.id);
    parse(&name, text.as_bytes(), &Limits::default()).documents.into_iter().map(Document::into_resource).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_stand_beside_files_and_name_a_rule_once() {
        let paths = ["own", "pack:kubernetes/baseline", "pack:kubernetes/privileged-containers"];
        let (files, policies) = resolve(paths.iter().map(PathBuf::from).collect(), Side::Rules).unwrap();
        assert_eq!(files, [PathBuf::from("own")]);
        assert_eq!(policies.iter().filter(|policy| policy.name() == "privileged-containers").count(), 1);
        let (_, fixes) = resolve(vec!["pack:kubernetes".into()], Side::Fixes).unwrap();
        assert!(fixes.iter().all(|fix| fix.kind() == "ClusterPolicy"), "fixes are written in one kind");
    }

    #[test]
    fn a_name_that_nothing_has_is_an_error_that_lists_the_others() {
        for (selector, help) in [("pack:docker", "pack:kubernetes"), ("pack:kubernetes/base", "`baseline`")] {
            let Err(UnknownPack { help: said, .. }) = resolve(vec![selector.into()], Side::Rules) else {
                panic!("{selector} must be refused");
            };
            assert!(said.contains(help), "{said}");
        }
    }
}
