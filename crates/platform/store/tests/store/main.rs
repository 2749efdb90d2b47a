//! One suite over the store's public methods, run on SQLite and, where it is installed, on PostgreSQL.
//!
//! `cargo test -p palisade-store`; `-- --ignored --nocapture measure` prints how fast decisions are appended.

#![allow(clippy::disallowed_methods, reason = "tests take the time as it is")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::cast_possible_wrap,
    clippy::format_collect,
    clippy::cloned_ref_to_slice_refs,
    reason = "a test that cannot go on panics where it stands, and is read more often than it runs"
)]

mod backups;
mod database;
mod durability;
mod governance;
mod identity;
mod inventory;
mod jobs;
mod measure;
mod outage;
mod replicas;
mod upgrade;

/// Makes two tests of each function: on SQLite and on PostgreSQL.
macro_rules! suite {
    ($($module:ident::$test:ident),+ $(,)?) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                crate::$module::$test(&crate::database::TestDatabase::sqlite()).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $test() {
                if let Ok(database) = crate::database::TestDatabase::postgres().await {
                    crate::$module::$test(&database).await;
                }
            })+
        }
    };
}

suite! {
    backups::a_backup_returns_on_either_database,
    backups::a_damaged_backup_changes_nothing,
    durability::nothing_acknowledged_is_lost_by_a_kill,
    governance::a_state_is_what_was_written_last,
    governance::an_exception_and_its_answer_are_kept_together,
    governance::an_exception_is_decided_once,
    governance::catalogues_replace_their_source_only,
    governance::changes_are_numbered_in_the_order_of_their_commit,
    identity::a_login_state_is_taken_once,
    identity::roles_come_from_account_and_groups,
    identity::sessions_and_tokens_end,
    inventory::documents_of_one_file_are_kept_apart,
    inventory::a_decision_is_stored_once,
    inventory::decisions_are_filtered_and_counted,
    inventory::findings_open_resolve_and_return,
    inventory::hostile_text_is_data,
    inventory::malformed_cursors_are_refused,
    inventory::old_answers_change_nothing,
    inventory::pages_stay_put_while_rows_arrive,
    inventory::policies_keep_their_versions,
    inventory::pruning_keeps_what_is_young,
    inventory::unseen_resources_go_with_their_findings,
    jobs::a_key_is_there_once,
    jobs::a_killed_worker_loses_and_repeats_nothing,
    jobs::a_lost_lease_writes_nothing,
    jobs::failures_end_a_job_and_so_do_workers_that_vanish,
    jobs::turns_come_by_time_and_to_one_worker_each,
    replicas::a_claim_is_answered_once,
    replicas::a_database_from_the_future_is_refused,
    replicas::a_lock_changes_hands_when_it_expires,
    replicas::an_older_schema_is_migrated,
    replicas::replicas_that_start_together_migrate_once,
    replicas::two_writers_lose_nothing,
    upgrade::a_backup_of_an_older_version_is_restored,
    upgrade::a_database_of_the_first_version_loses_nothing,
    upgrade::a_schema_that_was_changed_by_hand_is_refused,
}

/// The server awaits the store on threads that change: every future has to be `Send`.
#[test]
fn futures_may_move_between_threads() {
    fn sendable<T: Send>(_: impl Fn(palisade_store::Store) -> T) {}
    use palisade_store as p;
    let (now, page) = (jiff::Timestamp::UNIX_EPOCH, p::Page::default());
    sendable(|s| async move { s.check().await.is_ok() && s.prune(now).await.is_ok() });
    sendable(|s| async move { s.backup("x".as_ref()).await.is_ok() });
    sendable(|_| async { p::Store::restore(&p::StoreConfig::default(), "x".as_ref(), "y".as_ref()).await.is_ok() });
    sendable(|_| async { p::Store::open(&p::StoreConfig::default(), "x".as_ref()).await.is_ok() });
    sendable(|s| async move { s.record_observations(&[]).await.is_ok() && s.append_decisions(&[]).await.is_ok() });
    sendable(|s| async move { s.count_findings(&p::FindingFilter::default(), p::FindingGroup::Team).await.is_ok() });
    sendable(|s| async move { s.count_decisions(&p::DecisionFilter::default(), p::DecisionGroup::Team).await.is_ok() });
    sendable(|s| {
        let page = page.clone();
        async move {
            s.list_findings(&p::FindingFilter::default(), &page).await.is_ok()
                && s.list_decisions(&p::DecisionFilter::default(), &page).await.is_ok()
                && s.list_policies(&p::PolicyFilter::default(), &page).await.is_ok()
                && s.list_services(None, &page).await.is_ok()
                && s.list_accounts(&p::AccountFilter::default(), &page).await.is_ok()
        }
    });
    sendable(|s| async move { s.sync_policies("x", &[], now).await.is_ok() && s.state("x").await.is_ok() });
    sendable(|s| async move { s.rule_on_exception("x", p::Ruling::Approve, "x", None, None, now).await.is_ok() });
    sendable(|s| async move { s.replace_catalogue("x", &p::Catalogue::default(), now).await.is_ok() });
    sendable(|s| async move { s.remove_unseen_resources("x", now, now).await.is_ok() });
    sendable(|s| async move { s.acquire_lock("x", "x", std::time::Duration::ZERO).await.is_ok() });
    sendable(|s| async move { s.job("x").await.is_ok() && s.cancel_job("x").await.is_ok() });
    sendable(|s| async move { s.roles_of("x", &[]).await.is_ok() && s.changes_after(0, 1).await.is_ok() });
    sendable(|s| async move { s.put_state("x", &serde_json::Value::Null, now).await.is_ok() });
}
