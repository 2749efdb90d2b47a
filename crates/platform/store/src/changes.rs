//! The feed of what happened, for those who watch. Numbers grow in the order in which changes became visible, so
//! that who has read up to one number misses none below it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;

use crate::database::Session;
use crate::error::Failure;
use crate::statement::Sql;
use crate::table::{Columns, table};
use crate::{Page, Store, StoreError};

/// A change to tell of.
#[derive(Clone, Debug, PartialEq)]
pub struct NewChange {
    /// What it is about, such as `findings`.
    pub topic: String,
    /// The team that it concerns; none concerns everybody.
    pub team: Option<String>,
    /// What happened.
    pub body: Value,
}

/// A change.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Change {
    /// Its number.
    pub id: i64,
    /// When.
    pub time: Timestamp,
    /// What it is about.
    pub topic: String,
    /// The team that it concerns; none concerns everybody.
    pub team: Option<String>,
    /// What happened.
    pub body: Value,
}

table! {
    CHANGES = changes (id) kept change_days since time;
    Change { id: int, time: time, topic: text, team: optional_text, body: json }
}

table! {
    COUNTERS = counters (name);
    { name: text, value: int }
}

impl Store {
    /// Tells of changes; returns the number of the last one.
    pub async fn append_changes(&self, changes: &[NewChange], now: Timestamp) -> Result<i64, StoreError> {
        self.database
            .attempt("telling of changes", async || {
                let mut session = self.database.write().await?;
                let last = append(&mut session, changes, now).await?;
                session.commit().await?;
                Ok(last)
            })
            .await
    }

    /// The changes after a number, oldest first, `limit` (500 at most) of them.
    pub async fn changes_after(&self, id: i64, limit: u32) -> Result<Vec<Change>, StoreError> {
        self.database
            .attempt("reading changes", async || {
                let sql = Sql::new("SELECT * FROM changes WHERE id > $1 ORDER BY id LIMIT $2");
                let sql = sql.arg(id).arg(limit.clamp(1, Page::MAX_LIMIT));
                self.database.read().await?.rows(sql).await?.iter().map(Columns::read).collect()
            })
            .await
    }

    /// The number of the last change, 0 where there was none.
    pub async fn last_change(&self) -> Result<i64, StoreError> {
        self.database
            .attempt("reading changes", async || {
                let sql = Sql::new("SELECT value FROM counters WHERE name = 'changes'");
                self.database.read().await?.row(sql).await?.map_or(Ok(0), |row| row.int("value"))
            })
            .await
    }

    /// The number of the oldest change that is still kept. Who has read less than the number before it missed some.
    pub async fn oldest_change(&self) -> Result<Option<i64>, StoreError> {
        self.database
            .attempt("reading changes", async || {
                let sql = Sql::new("SELECT id FROM changes ORDER BY id LIMIT 1");
                self.database.read().await?.row(sql).await?.map(|row| row.int("id")).transpose()
            })
            .await
    }
}

/// Tells, within a transaction, of changes about one topic, each with the team that it concerns. Call it last: from
/// here to the commit no other replica can tell of anything.
pub(crate) async fn tell(
    session: &mut Session,
    topic: &str,
    changes: impl IntoIterator<Item = (Option<String>, Value)>,
    now: Timestamp,
) -> Result<(), Failure> {
    let changes: Vec<_> =
        changes.into_iter().map(|(team, body)| NewChange { topic: topic.to_owned(), team, body }).collect();
    append(session, &changes, now).await.map(|_| ())
}

async fn append(session: &mut Session, changes: &[NewChange], now: Timestamp) -> Result<i64, Failure> {
    let count = i64::try_from(changes.len()).unwrap_or(i64::MAX);
    let sql = Sql::new("UPDATE counters SET value = value + $1 WHERE name = 'changes' RETURNING value").arg(count);
    let last = session.row(sql).await?.map_or(Ok(count), |row| row.int("value"))?;
    let numbered: Vec<_> = (last - count + 1..).zip(changes).collect();
    for chunk in numbered.chunks(200) {
        let rows = chunk.iter().map(|(id, new)| {
            let NewChange { topic, team, body } = (*new).clone();
            Change { id: *id, time: now, topic, team, body }.values()
        });
        let sql = CHANGES.insert(rows);
        session.execute(sql).await?;
    }
    Ok(last)
}
