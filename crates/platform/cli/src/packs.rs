//! Built-in packs as a source of policies: `pack:kubernetes`, `pack:kubernetes/baseline`, `pack:kubernetes/RULE`.
//!
//! A selector stands wherever a policy path does, so that built-in and own policies, exceptions included, are loaded
//! together.

use std::path::{Path, PathBuf};

use palisade_document::{Document, Limits, parse};
use palisade_model::Resource;
use palisade_packs::{Entry, PACKS, Pack};
use palisade_policy::PolicyMeta;

use crate::Failure;

/// What a run uses that names no policies at all.
pub(crate) const DEFAULT: &str = "pack:kubernetes";

const PREFIX: &str = "pack:";

/// Which side of a pack is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// The rules, for commands that judge.
    Rules,
    /// The fixes of the rules that have one, for `palisade mutate`.
    Fixes,
}

/// Whether a policy path names a pack.
pub(crate) fn is_selector(path: &Path) -> bool {
    path.to_str().is_some_and(|text| text.starts_with(PREFIX))
}

/// The paths that are files, and the policies of the packs that the others name.
pub(crate) fn resolve(paths: Vec<PathBuf>, side: Side) -> Result<(Vec<PathBuf>, Vec<Resource>), Failure> {
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
fn select(selector: &str) -> Result<Vec<(&'static Pack, &'static Entry)>, Failure> {
    let name = selector.strip_prefix(PREFIX).unwrap_or(selector);
    let (id, what) = name.split_once('/').unwrap_or((name, ""));
    let Some(pack) = PACKS.iter().find(|pack| pack.id == id) else {
        let known: Vec<_> = PACKS.iter().map(|pack| format!("`{PREFIX}{}`", pack.id)).collect();
        return Err(Failure::new(
            format!("no built-in pack is called `{id}`"),
            format!("there is {}", known.join(", ")),
        ));
    };
    let rules = pack.select(what);
    if rules.is_empty() {
        let groups: Vec<_> = pack.groups.iter().map(|group| format!("`{}`", group.id)).collect();
        return Err(Failure::new(
            format!("the pack `{id}` has no group and no rule called `{what}`"),
            format!(
                "its groups are {} and `all`; `palisade list policies -p {PREFIX}{id}/all` shows its rules",
                groups.join(", ")
            ),
        ));
    }
    Ok(rules.into_iter().map(|entry| (*pack, entry)).collect())
}

/// The policies of one side of a rule.
pub(crate) fn documents(pack: &Pack, entry: &Entry, side: Side) -> Vec<Resource> {
    let (file, text) = match side {
        Side::Rules => ("rule.yaml", Some(entry.text)),
        Side::Fixes => ("fix.yaml", entry.fix),
    };
    let Some(text) = text else { return Vec::new() };
    let name = format!("{PREFIX}{}/{}/{}/{file}", pack.id, entry.group, entry.id);
    parse(&name, text.as_bytes(), &Limits::default()).documents.into_iter().map(Document::into_resource).collect()
}

/// The selectors of packs and groups, each with what it is for.
pub(crate) fn rows() -> Vec<[String; 2]> {
    let mut rows = Vec::new();
    for pack in PACKS {
        rows.push([format!("{PREFIX}{}", pack.id), format!("{} rules: {}", pack.select("").len(), pack.title)]);
        for group in pack.groups {
            let (rules, off) = (pack.select(group.id).len(), if group.by_default { "" } else { " (off by default)" });
            rows.push([format!("{PREFIX}{}/{}", pack.id, group.id), format!("{rules} rules: {}{off}", group.title)]);
        }
    }
    rows
}

/// What the built-in rule called `id` is about, for `palisade explain`.
pub(crate) fn explain(id: &str) -> Option<String> {
    let (pack, entry) = PACKS.iter().find_map(|pack| Some((*pack, pack.rule(id)?)))?;
    Some(describe(pack, entry))
}

/// A rule in words, as Markdown that reads well on a terminal, too.
pub(crate) fn describe(pack: &Pack, entry: &Entry) -> String {
    let meta = documents(pack, entry, Side::Rules).first().map(PolicyMeta::of).unwrap_or_default();
    let or_empty = |text: Option<String>| text.unwrap_or_default();
    let fix = match entry.fix {
        Some(_) => {
            format!("\n`palisade mutate PATH --policies {PREFIX}{}/{} --diff` shows the fix.\n", pack.id, entry.id)
        }
        None => String::new(),
    };
    let controls: Vec<_> =
        meta.controls.iter().map(|control| format!("{} {}", control.framework, control.id)).collect();
    format!(
        "{}: {}\n\n{} severity; {}; {PREFIX}{}/{}\n\n{}\n\nTo mend it, {}.\n\n{}\n{fix}\nControls: {}\n\nRead on:\n{}",
        entry.id,
        or_empty(meta.title),
        meta.severity,
        or_empty(meta.category),
        pack.id,
        entry.group,
        or_empty(meta.description),
        meta.remediation.as_deref().unwrap_or_default(),
        lines("    ", meta.example.as_deref().unwrap_or_default().lines()),
        controls.join(", "),
        lines("- ", meta.references.iter().map(|address| &**address)),
    )
}

/// Each text on a line of its own behind `lead`.
fn lines<'t>(lead: &str, texts: impl Iterator<Item = &'t str>) -> String {
    texts.map(|text| [lead, text].concat()).collect::<Vec<_>>().join("\n")
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
            let Err(Failure::Operation { help: Some(said), .. }) = resolve(vec![selector.into()], Side::Rules) else {
                panic!("{selector} must be refused");
            };
            assert!(said.contains(help), "{said}");
        }
    }
}
