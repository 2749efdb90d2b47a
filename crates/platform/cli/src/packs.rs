//! Built-in packs in words: what there is to choose from, and what a rule is about.

use palisade_packs::{Entry, PACKS, Pack};
use palisade_policies::packs::{PREFIX, Side, documents};
use palisade_policy::PolicyMeta;

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
    let what = if pack.defaults { "what it changes or makes" } else { "the fix" };
    let fix = if pack.defaults || entry.fix.is_some() {
        format!("\n`palisade mutate PATH --policies {PREFIX}{}/{} --diff` shows {what}.\n", pack.id, entry.id)
    } else {
        String::new()
    };
    let to = if pack.defaults { "decide otherwise" } else { "mend it" };
    let controls: Vec<_> =
        meta.controls.iter().map(|control| format!("{} {}", control.framework, control.id)).collect();
    format!(
        "{}: {}\n\n{} severity; {}; {PREFIX}{}/{}\n\n{}\n\nTo {to}, {}.\n\n{}\n{fix}\nControls: {}\n\nRead on:\n{}",
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
