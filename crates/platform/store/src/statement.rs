//! SQL built from fixed text and bound values. Only text of this program becomes SQL: `push` takes `&'static str`, and
//! everything else is a numbered placeholder, which SQLite and PostgreSQL read alike.

use std::fmt::Write as _;

use jiff::Timestamp;
use palisade_model::{Severity, Str};
use serde::Serialize;
use sqlx::any::AnyArguments;
use sqlx::{Any, Arguments as _, AssertSqlSafe};

use crate::StoreError;
use crate::dialect::Dialect;
use crate::page::{Key, Order, Page};
use crate::row::rank;

/// A statement under construction.
#[derive(Default)]
pub(crate) struct Sql {
    text: String,
    arguments: AnyArguments,
    count: usize,
    failure: Option<sqlx::Error>,
}

/// A value to bind. Both databases know numbers and text; flags, times and JSON are written as these.
pub(crate) enum Bound {
    Int(i64),
    NoInt,
    Text(String),
    NoText,
}

impl Sql {
    pub(crate) fn new(text: &'static str) -> Self {
        Self { text: text.to_owned(), ..Self::default() }
    }

    /// Appends fixed text.
    #[must_use]
    pub(crate) fn push(mut self, text: &'static str) -> Self {
        self.text.push_str(text);
        self
    }

    /// Appends the name of a table or column that [`crate::backup`] has checked to be one.
    #[must_use]
    pub(crate) fn identifier(mut self, name: &str) -> Self {
        self.text.extend(name.chars().filter(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '_'));
        self
    }

    /// Binds the next placeholder that the text has already.
    #[must_use]
    pub(crate) fn arg(mut self, value: impl Into<Bound>) -> Self {
        let added = match value.into() {
            Bound::Int(number) => self.arguments.add(number),
            Bound::NoInt => self.arguments.add(None::<i64>),
            Bound::Text(text) => self.arguments.add(storable(text)),
            Bound::NoText => self.arguments.add(None::<String>),
        };
        self.count += 1;
        if let Err(error) = added {
            self.failure.get_or_insert(sqlx::Error::Encode(error));
        }
        self
    }

    /// Appends a placeholder and binds it.
    #[must_use]
    pub(crate) fn bind(self, value: impl Into<Bound>) -> Self {
        let mut sql = self.arg(value);
        // Writing to a string cannot fail.
        let _ = write!(sql.text, "${}", sql.count);
        sql
    }

    /// Appends ` AND column = value` where there is a value.
    #[must_use]
    pub(crate) fn equal(self, condition: &'static str, value: Option<impl Into<Bound>>) -> Self {
        match value {
            Some(value) => self.push(" AND ").push(condition).push(" = ").bind(value),
            None => self,
        }
    }

    /// Appends ` AND expression value` where there is a value, with the expression's operator: `time >=`.
    #[must_use]
    pub(crate) fn compare(self, expression: &'static str, value: Option<impl Into<Bound>>) -> Self {
        match value {
            Some(value) => self.push(" AND ").push(expression).push(" ").bind(value),
            None => self,
        }
    }

    /// Appends that one of the columns contains a text, whatever the case of ASCII letters, where there is one.
    #[must_use]
    pub(crate) fn contains(self, columns: &[&'static str], text: Option<&str>) -> Self {
        let Some(text) = text else { return self };
        let literal = text.to_ascii_lowercase().replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
        let mut sql = self.push(" AND (1 = 0");
        for column in columns {
            sql = sql.push(" OR lower(").push(column).push(") LIKE ").bind(format!("%{literal}%")).push(" ESCAPE '\\'");
        }
        sql.push(")")
    }

    /// Appends ` AND column IN (values)` where a list is given. Nothing is in an empty list.
    #[must_use]
    pub(crate) fn among(self, column: &'static str, values: Option<&[String]>) -> Self {
        match values {
            None => self,
            Some([]) => self.push(" AND 1 = 0"),
            Some(values) => self.push(" AND ").push(column).push(" IN ").tuple(values.iter().map(String::as_str)),
        }
    }

    /// Appends `(value, value, ...)`.
    #[must_use]
    pub(crate) fn tuple(self, values: impl IntoIterator<Item = impl Into<Bound>>) -> Self {
        let mut sql = self.push("(");
        for (index, value) in values.into_iter().enumerate() {
            sql = if index == 0 { sql } else { sql.push(", ") }.bind(value);
        }
        sql.push(")")
    }

    /// Appends `(value, ...), (value, ...)`, a tuple for each row.
    #[must_use]
    pub(crate) fn tuples<R>(self, rows: impl IntoIterator<Item = R>, values: impl Fn(R) -> Vec<Bound>) -> Self {
        let mut sql = self;
        for (index, row) in rows.into_iter().enumerate() {
            sql = if index == 0 { sql } else { sql.push(", ") }.tuple(values(row));
        }
        sql
    }

    /// Appends the condition, the order and the limit of a page, one row more than the page has.
    pub(crate) fn page(self, order: &Order, page: &Page) -> Result<Self, StoreError> {
        let mut sql = self;
        if let Some(cursor) = &page.after {
            let columns: Vec<_> = order.columns.iter().map(|column| column.sql).collect();
            sql = sql.push(" AND (").list(&columns).push(")");
            sql = sql.push(if order.descending { " < " } else { " > " });
            sql = sql.tuple(cursor.keys(order)?.iter().map(|key| match key {
                Key::Int(number) => Bound::Int(*number),
                Key::Text(text) => Bound::Text(text.clone()),
            }));
        }
        let direction = if order.descending { " DESC" } else { " ASC" };
        sql = sql.push(" ORDER BY ");
        for (index, column) in order.columns.iter().enumerate() {
            sql = if index == 0 { sql } else { sql.push(", ") }.push(column.sql).push(direction);
        }
        Ok(sql.push(" LIMIT ").bind(i64::from(page.size()) + 1))
    }

    /// Appends names, with commas between them.
    #[must_use]
    pub(crate) fn list(self, names: &[&'static str]) -> Self {
        let mut sql = self;
        for (index, name) in names.iter().enumerate() {
            sql = if index == 0 { sql } else { sql.push(", ") }.push(name);
        }
        sql
    }

    /// The query, to be run. SQLite takes `$1` for a name and searches a list for each, which is slow where there are
    /// many; `?1` is a number. Statements of many shapes (long lists of values) are not kept prepared.
    pub(crate) fn query(self, dialect: Dialect) -> Result<sqlx::query::Query<'static, Any, AnyArguments>, sqlx::Error> {
        let text = if dialect == Dialect::Sqlite { self.text.replace('$', "?") } else { self.text };
        match self.failure {
            Some(failure) => Err(failure),
            None => Ok(sqlx::query_with(AssertSqlSafe(text), self.arguments).persistent(self.count < 1000)),
        }
    }
}

/// PostgreSQL stores no NUL in text. Whoever sends one gets a replacement character, on both databases, instead of a
/// record that can never be stored.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

/// A document as text for a column. Types that have no JSON form do not occur in this crate.
pub(crate) fn json(value: &(impl Serialize + ?Sized)) -> Bound {
    Bound::Text(serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned()))
}

/// The columns of these bound values, written short.
macro_rules! row {
    ($($value:expr),* $(,)?) => { vec![$($crate::statement::Bound::from($value)),*] };
}
pub(crate) use row;

/// The types of columns, as [`crate::table`] calls them.
impl Bound {
    pub(crate) const fn text(text: String) -> Self {
        Self::Text(text)
    }

    #[expect(clippy::needless_pass_by_value, reason = "as all columns' types are")]
    pub(crate) fn shared(text: Str) -> Self {
        (*text).into()
    }

    pub(crate) fn optional_text(text: Option<String>) -> Self {
        text.map_or(Self::NoText, Self::Text)
    }

    pub(crate) fn json(value: impl Serialize) -> Self {
        json(&value)
    }

    pub(crate) fn optional_json(value: Option<impl Serialize>) -> Self {
        value.map_or(Self::NoText, |value| json(&value))
    }

    /// One of an enumeration's words, as serde writes it.
    pub(crate) fn word(word: impl Serialize) -> Self {
        match serde_json::to_value(word) {
            Ok(serde_json::Value::String(word)) => Self::Text(word),
            _ => Self::NoText,
        }
    }

    pub(crate) const fn int(number: i64) -> Self {
        Self::Int(number)
    }

    pub(crate) fn count(number: u64) -> Self {
        Self::Int(i64::try_from(number).unwrap_or(i64::MAX))
    }

    pub(crate) fn small(number: u32) -> Self {
        number.into()
    }

    pub(crate) fn flag(flag: bool) -> Self {
        flag.into()
    }

    pub(crate) fn severity(severity: Severity) -> Self {
        Self::Int(rank(severity))
    }

    pub(crate) fn time(time: Timestamp) -> Self {
        time.into()
    }

    pub(crate) fn optional_time(time: Option<Timestamp>) -> Self {
        time.map_or(Self::NoInt, Self::from)
    }
}

impl From<i64> for Bound {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<u32> for Bound {
    fn from(number: u32) -> Self {
        Self::Int(i64::from(number))
    }
}

impl From<bool> for Bound {
    fn from(flag: bool) -> Self {
        Self::Int(i64::from(flag))
    }
}

impl From<Timestamp> for Bound {
    fn from(time: Timestamp) -> Self {
        Self::Int(time.as_microsecond())
    }
}

impl From<&str> for Bound {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Bound {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&String> for Bound {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<Option<&str>> for Bound {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::NoText, Self::from)
    }
}
