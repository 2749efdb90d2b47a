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
}

#[test]
fn every_table_of_the_store_belongs_to_one_capability() {
    let mut owned: Vec<_> = CAPABILITIES.iter().flat_map(|capability| capability.tables).copied().collect();
    let mut tables: Vec<_> = palisade_store::table_names().collect();
    owned.sort_unstable();
    tables.sort_unstable();
    assert_eq!(owned, tables);
}

#[test]
fn an_operator_does_not_approve_and_an_approver_does_not_operate() {
    let all = permissions();
    assert!(!all.covers(Role::Operator, Role::Approver) && !all.covers(Role::Approver, Role::Operator));
    assert!(Role::ALL.iter().all(|role| all.covers(Role::Admin, *role) && all.covers(*role, Role::Viewer)));
}
