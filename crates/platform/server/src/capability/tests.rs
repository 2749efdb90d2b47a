//! The table itself.

use std::collections::BTreeSet;

use palisade_store::Role;

use super::*;

#[test]
fn nothing_is_declared_twice() {
    let ids: BTreeSet<_> = CAPABILITIES.iter().map(|capability| capability.id).collect();
    assert_eq!(ids.len(), CAPABILITIES.len());
    let all = permissions();
    let names: BTreeSet<_> = all.iter().map(|permission| permission.as_str()).collect();
    assert_eq!(names.len(), all.iter().count());
    let tables: Vec<_> = CAPABILITIES.iter().flat_map(|capability| capability.tables).collect();
    assert_eq!(tables.iter().collect::<BTreeSet<_>>().len(), tables.len(), "{tables:?}");
}

#[test]
fn an_operator_does_not_approve_and_an_approver_does_not_operate() {
    let all = permissions();
    assert!(!all.covers(Role::Operator, Role::Approver) && !all.covers(Role::Approver, Role::Operator));
    assert!(Role::ALL.iter().all(|role| all.covers(Role::Admin, *role) && all.covers(*role, Role::Viewer)));
}
