//! `match` and `exclude` blocks.

use palisade_model::{Path, Segment, wildcard};

use super::Checked;
use crate::legacy::codes;
use crate::legacy::spec::{Body, Check, LabelSelector, MatchBlock, Patch, Reader, ResourceFilter, Rule};

pub(super) fn rule(reader: &mut Reader<'_>, policy: &Checked<'_>, rule: &Rule, path: &Path) {
    let (matches, excludes) = (path.child("match"), path.child("exclude"));
    block(reader, policy, &rule.matches, &matches);
    selected(reader, &rule.matches, &matches);
    for (name, block_path) in [(Some(&rule.matches), &matches), (rule.exclude.as_ref(), &excludes)] {
        if let Some(found) = name {
            wildcards(reader, policy, rule, found, block_path);
        }
    }
    if let Some(exclude) = &rule.exclude {
        block(reader, policy, exclude, &excludes);
        if is_empty_set(&rule.matches, exclude) {
            let message = "the rule excludes everything that it matches";
            reader.error(codes::INVALID_RULE, &excludes, message, "narrow `exclude`");
        }
    }
}

/// The filters of a block with their places.
fn filters<'m>(block: &'m MatchBlock, path: &Path) -> Vec<(&'m ResourceFilter, Path)> {
    let listed = |key: &'static str, filters: &'m [ResourceFilter]| {
        let path = path.child(key);
        filters.iter().enumerate().map(move |(at, filter)| (filter, path.child(Segment::Index(at)))).collect::<Vec<_>>()
    };
    let mut all = vec![(&block.direct, path.clone())];
    all.extend(listed("any", &block.any));
    all.extend(listed("all", &block.all));
    all
}

fn block(reader: &mut Reader<'_>, policy: &Checked<'_>, block: &MatchBlock, path: &Path) {
    let listed = !(block.any.is_empty() && block.all.is_empty());
    if listed && !block.direct.resources.is_empty() {
        let message = "`any` or `all` cannot stand beside `resources`";
        reader.error(codes::INVALID_RULE, path, message, "move `resources` into the list");
    }
    for (filter, path) in filters(block, path) {
        let resources = &filter.resources;
        if resources.name.is_some() && !resources.names.is_empty() {
            let message = "`name` and `names` cannot stand together";
            reader.error(codes::INVALID_RULE, &path, message, "list the name in `names`");
        }
        if policy.namespaced && !resources.namespaces.is_empty() {
            let message = "a Policy judges its own namespace and cannot filter by `namespaces`";
            reader.error(codes::INVALID_RULE, &path, message, "remove `namespaces`, or make it a ClusterPolicy");
        }
        if resources.selector.as_ref().is_some_and(LabelSelector::is_empty) {
            reader.error(codes::INVALID_RULE, &path, "`selector` says nothing", "add matchLabels or matchExpressions");
        }
        users(reader, policy, filter, &path);
    }
}

fn users(reader: &mut Reader<'_>, policy: &Checked<'_>, filter: &ResourceFilter, path: &Path) {
    for subject in &filter.subjects {
        if subject.name.is_empty() || (&*subject.kind == "ServiceAccount" && subject.namespace.is_empty()) {
            let message = "a subject needs a name, a ServiceAccount its namespace, too";
            reader.error(codes::INVALID_RULE, path, message, "complete the subject");
        }
    }
    for role in filter.roles.iter().filter(|role| role.split(':').count() != 2) {
        let message = format!("role `{role}` is not written as namespace:name");
        reader.error(codes::INVALID_RULE, path, message, "write the role's namespace before its name");
    }
    if policy.spec.background && filter.names_users() {
        let message = "subjects, roles and clusterRoles are not known when existing objects are judged";
        reader.error(codes::INVALID_RULE, path, message, "set `spec.background: false`");
    }
}

/// Every filter of `match` must say something, kinds above all.
fn selected(reader: &mut Reader<'_>, block: &MatchBlock, path: &Path) {
    let listed = !(block.any.is_empty() && block.all.is_empty());
    for (filter, path) in filters(block, path).into_iter().skip(usize::from(listed)) {
        if filter.resources.kinds.is_empty() {
            reader.error(codes::INVALID_RULE, &path, "`match` names no kinds", "add `resources.kinds`");
            return;
        }
    }
}

/// A rule for every kind can only look at what every kind has.
fn wildcards(reader: &mut Reader<'_>, policy: &Checked<'_>, rule: &Rule, block: &MatchBlock, path: &Path) {
    for (filter, path) in filters(block, path) {
        let kinds = &filter.resources.kinds;
        if !kinds.iter().any(|kind| &*kind.text == "*") {
            continue;
        }
        let (message, help) = if policy.spec.background {
            ("kind `*` cannot be judged in the background", "set `spec.background: false`")
        } else if kinds.len() > 1 {
            ("kind `*` stands alone", "remove the other kinds")
        } else if !fits_every_kind(rule) {
            ("a rule for every kind can only look at metadata", "name the kinds")
        } else {
            continue;
        };
        reader.error(codes::INVALID_RULE, &path, message, help);
    }
}

fn fits_every_kind(rule: &Rule) -> bool {
    let only_metadata =
        |value: &palisade_model::Value| value.as_object().is_none_or(|map| map.keys().all(|key| &**key == "metadata"));
    match &rule.body {
        Body::Generate(_) | Body::VerifyImages(_) => false,
        Body::Validate(validation) => match &validation.check {
            Check::ForEach(_) => false,
            Check::Pattern(pattern) => only_metadata(pattern),
            Check::AnyPattern(patterns) => patterns.as_array().unwrap_or_default().iter().all(only_metadata),
            _ => true,
        },
        Body::Mutate(mutation) => match &mutation.patch {
            Some(Patch::StrategicMerge(patch)) => only_metadata(patch),
            _ => true,
        },
    }
}

/// Whether `exclude` takes away everything that `match` selects, as far as Kyverno looks.
fn is_empty_set(matches: &MatchBlock, exclude: &MatchBlock) -> bool {
    if !matches.all.is_empty() || !exclude.all.is_empty() || exclude.is_empty() {
        return false;
    }
    if !matches.any.is_empty() && !exclude.any.is_empty() {
        return matches.any.iter().any(|filter| exclude.any.iter().any(|other| is_same(filter, other)));
    }
    exclude.any.is_empty() && covers(&exclude.direct, &matches.direct)
}

fn is_same(a: &ResourceFilter, b: &ResourceFilter) -> bool {
    format!("{a:?}") == format!("{b:?}")
}

/// Whether `exclude` selects whatever `matched` selects.
fn covers(exclude: &ResourceFilter, matched: &ResourceFilter) -> bool {
    fn within<T: PartialEq>(outer: &[T], inner: &[T]) -> bool {
        outer.is_empty() || (!inner.is_empty() && inner.iter().all(|item| outer.contains(item)))
    }
    let (out, inn) = (&exclude.resources, &matched.resources);
    if !out.names.is_empty() {
        return inn.names.iter().any(|name| out.names.iter().any(|pattern| wildcard::matches(pattern, name)));
    }
    let name = inn.name.as_deref().unwrap_or_default();
    let selectors = |a: &Option<LabelSelector>, b: &Option<LabelSelector>| match (a, b) {
        (None, None) => true,
        (Some(a), Some(b)) => {
            let expressions = |selector: &LabelSelector| {
                selector.expressions.iter().map(|item| format!("{item:?}")).collect::<Vec<_>>()
            };
            within(&expressions(a), &expressions(b)) && within(&a.labels, &b.labels)
        }
        _ => false,
    };
    within(&exclude.roles, &matched.roles)
        && within(&exclude.cluster_roles, &matched.cluster_roles)
        && within(&exclude.subjects, &matched.subjects)
        && out.name.as_ref().is_none_or(|pattern| wildcard::matches(pattern, name))
        && within(&out.namespaces, &inn.namespaces)
        && within(&out.kinds, &inn.kinds)
        && selectors(&out.selector, &inn.selector)
        && selectors(&out.namespace_selector, &inn.namespace_selector)
        && out.annotations == inn.annotations
}
