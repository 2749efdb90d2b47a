//! Tables, declared once: beside the record that they hold, in the file of the noun.
//!
//! [`table!`] names the columns with the field and the type of each. From that come the statement that inserts, the
//! reading of rows, what backups and retention do with the table, and the check that the database has it as declared.
//! [`columns!`] declares columns that several tables share. The words for types are the methods of
//! [`Row`] that read and the functions of [`Bound`] that write them.
//!
//! Deliberately absent: making tables. Migrations do, and what they have made once never changes.

use std::fmt::Write as _;

use crate::StoreConfig;
use crate::database::Session;
use crate::dialect::Dialect;
use crate::error::{Failure, StoreError};
use crate::row::Row;
use crate::statement::{Bound, Sql};

/// A table.
#[derive(Debug)]
pub(crate) struct Table {
    pub(crate) name: &'static str,
    /// The columns of its primary key, which order it in backups too.
    pub(crate) key: &'static [&'static str],
    /// The columns of its record.
    pub(crate) columns: &'static [Column],
    /// Columns beside these, such as hashes, that no record shows.
    pub(crate) further: &'static [Column],
    pub(crate) kept: Option<Kept>,
}

/// How long rows stay: so many days after the earliest of some times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) days: fn(&StoreConfig) -> u32,
    pub(crate) since: &'static [&'static str],
}

/// A column, or the columns of a part of the record.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Column {
    One { name: &'static str, number: bool, optional: bool },
    Group(&'static [Self]),
}

impl Column {
    const fn of(name: &'static str, number: bool, optional: bool) -> Self {
        Self::One { name, number, optional }
    }

    pub(crate) const fn text(name: &'static str) -> Self {
        Self::of(name, false, false)
    }

    pub(crate) const fn shared(name: &'static str) -> Self {
        Self::text(name)
    }

    pub(crate) const fn optional_text(name: &'static str) -> Self {
        Self::of(name, false, true)
    }

    pub(crate) const fn json(name: &'static str) -> Self {
        Self::text(name)
    }

    pub(crate) const fn optional_json(name: &'static str) -> Self {
        Self::optional_text(name)
    }

    pub(crate) const fn word(name: &'static str) -> Self {
        Self::text(name)
    }

    pub(crate) const fn int(name: &'static str) -> Self {
        Self::of(name, true, false)
    }

    pub(crate) const fn optional_int(name: &'static str) -> Self {
        Self::of(name, true, true)
    }

    pub(crate) const fn count(name: &'static str) -> Self {
        Self::int(name)
    }

    pub(crate) const fn small(name: &'static str) -> Self {
        Self::int(name)
    }

    pub(crate) const fn flag(name: &'static str) -> Self {
        Self::int(name)
    }

    pub(crate) const fn severity(name: &'static str) -> Self {
        Self::int(name)
    }

    pub(crate) const fn time(name: &'static str) -> Self {
        Self::int(name)
    }

    pub(crate) const fn optional_time(name: &'static str) -> Self {
        Self::optional_int(name)
    }
}

/// What is read from and written to some columns.
pub(crate) trait Columns: Sized {
    const COLUMNS: &'static [Column];

    fn read(row: &Row) -> Result<Self, Failure>;

    /// Appends the values, in the order of the columns.
    fn bind(self, values: &mut Vec<Bound>);

    /// The values, in the order of the columns.
    fn values(self) -> Vec<Bound> {
        let mut values = Vec::new();
        self.bind(&mut values);
        values
    }
}

impl Table {
    /// Its columns, one by one, as `visit` wants them: name, whether it is a number, whether it may be empty.
    fn each(&self, mut visit: impl FnMut(&'static str, bool, bool)) {
        fn walk(columns: &[Column], visit: &mut impl FnMut(&'static str, bool, bool)) {
            for column in columns {
                match *column {
                    Column::One { name, number, optional } => visit(name, number, optional),
                    Column::Group(columns) => walk(columns, visit),
                }
            }
        }
        walk(self.columns, &mut visit);
        walk(self.further, &mut visit);
    }

    pub(crate) fn names(&self) -> Vec<&'static str> {
        let mut names = Vec::new();
        self.each(|name, _, _| names.push(name));
        names
    }

    /// Inserts rows, each with the values of all columns.
    pub(crate) fn insert(&self, rows: impl IntoIterator<Item = Vec<Bound>>) -> Sql {
        let sql = Sql::new("INSERT INTO ").push(self.name).push(" (").list(&self.names()).push(") VALUES ");
        sql.tuples(rows, |row| row)
    }

    /// Inserts rows and replaces those that are there: all columns but those of `conflict` and those `kept`.
    pub(crate) fn upsert(
        &self,
        rows: impl IntoIterator<Item = Vec<Bound>>,
        conflict: &'static [&'static str],
        kept: &[&str],
    ) -> Sql {
        let mut sql = self.insert(rows).push(" ON CONFLICT (").list(conflict).push(") DO UPDATE SET ");
        let names = self.names();
        let replaced = names.iter().filter(|name| !conflict.contains(name) && !kept.contains(name));
        for (index, name) in replaced.enumerate() {
            sql = if index == 0 { sql } else { sql.push(", ") }.push(name).push(" = excluded.").push(name);
        }
        sql
    }

    /// All rows, in the order of the key.
    pub(crate) fn all(&self) -> Sql {
        Sql::new("SELECT * FROM ").push(self.name).push(" ORDER BY ").list(self.key)
    }

    /// Removes rows that are kept no longer than to `limit`, the oldest first, at most `count`.
    pub(crate) fn prune(&self, kept: &Kept, limit: impl Into<Bound> + Copy, count: i64) -> Sql {
        let mut sql = Sql::new("DELETE FROM ").push(self.name).push(" WHERE (").list(self.key).push(") IN (SELECT ");
        sql = sql.list(self.key).push(" FROM ").push(self.name).push(" WHERE ");
        for (index, time) in kept.since.iter().enumerate() {
            sql = if index == 0 { sql } else { sql.push(" OR ") }.push(time).push(" < ").bind(limit);
        }
        let oldest = kept.since.first().copied().unwrap_or_default();
        sql.push(" ORDER BY ").push(oldest).push(" LIMIT ").bind(count).push(")")
    }

    /// The shape in words, a line for each column in alphabetical order.
    fn shape(&self) -> Vec<String> {
        let mut lines = Vec::new();
        self.each(|name, number, optional| {
            let mut line = format!("{name} {}", if number { "number" } else { "text" });
            // Writing to a string cannot fail.
            let _ = write!(line, "{}", if optional { "?" } else { "" });
            lines.push(line);
        });
        lines.sort_unstable();
        lines
    }
}

/// Compares the tables with those of the database.
pub(crate) async fn check(session: &mut Session, tables: &[Table]) -> Result<(), Failure> {
    let sql = match session.dialect {
        Dialect::Sqlite => {
            "SELECT m.name AS tab, c.name || CASE c.type WHEN 'BIGINT' THEN ' number' ELSE ' text' END \
             || CASE c.\"notnull\" WHEN 1 THEN '' ELSE '?' END AS col \
             FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' ORDER BY 1, 2"
        }
        Dialect::Postgres => {
            "SELECT CAST(table_name AS TEXT) AS tab, CAST(column_name AS TEXT) \
             || CASE data_type WHEN 'bigint' THEN ' number' ELSE ' text' END \
             || CASE is_nullable WHEN 'NO' THEN '' ELSE '?' END AS col \
             FROM information_schema.columns WHERE table_schema = current_schema()"
        }
    };
    let mut found = std::collections::BTreeMap::<String, Vec<String>>::new();
    for row in session.rows(Sql::new(sql)).await? {
        found.entry(row.text("tab")?).or_default().push(row.text("col")?);
    }
    for table in tables {
        let mut real = found.remove(table.name).unwrap_or_default();
        real.sort_unstable();
        let declared = table.shape();
        if real != declared {
            let only = |one: &[String], other: &[String]| {
                one.iter().filter(|line| !other.contains(line)).cloned().collect::<Vec<_>>().join(", ")
            };
            let reason = format!(
                "the table `{}` was changed by hand: missing [{}], not ours [{}]",
                table.name,
                only(&declared, &real),
                only(&real, &declared)
            );
            return Err(StoreError::Corrupt { what: "schema", reason }.into());
        }
    }
    Ok(())
}

/// Declares the columns of a type: per field its column, where that is called otherwise, and the word for its type.
macro_rules! columns {
    ($record:ident { $($field:ident $(in $column:ident)?: $kind:ident $($group:ident)?),+ $(,)? }) => {
        impl $crate::table::Columns for $record {
            const COLUMNS: &'static [$crate::table::Column] =
                &[$($crate::table::columns!(@column $field $($column)?, $kind $($group)?)),+];

            fn read(row: &$crate::row::Row) -> Result<Self, $crate::error::Failure> {
                Ok(Self { $($field: $crate::table::columns!(@read row, $field $($column)?, $kind $($group)?)),+ })
            }

            fn bind(self, values: &mut Vec<$crate::statement::Bound>) {
                $($crate::table::columns!(@bind values, self.$field, $kind $($group)?);)+
            }
        }
    };
    (@column $field:ident $($column:ident)?, group $group:ident) => {
        $crate::table::Column::Group(<$group as $crate::table::Columns>::COLUMNS)
    };
    (@column $field:ident, $kind:ident) => { $crate::table::Column::$kind(stringify!($field)) };
    (@column $field:ident $column:ident, $kind:ident) => { $crate::table::Column::$kind(stringify!($column)) };
    (@read $row:ident, $field:ident, group $group:ident) => { <$group as $crate::table::Columns>::read($row)? };
    (@read $row:ident, $field:ident, $kind:ident) => { $row.$kind(stringify!($field))? };
    (@read $row:ident, $field:ident $column:ident, $kind:ident) => { $row.$kind(stringify!($column))? };
    (@bind $values:ident, $value:expr, group $group:ident) => { $crate::table::Columns::bind($value, $values) };
    (@bind $values:ident, $value:expr, $kind:ident) => { $values.push($crate::statement::Bound::$kind($value)) };
}
pub(crate) use columns;

/// Declares a table: `NAME = name (key) kept DAYS since time;`, the record with its columns, and columns beside it. `kept` is
/// left out where rows stay until they are removed; `DAYS` is a number or a key of the configuration.
macro_rules! table {
    (
        $table:ident = $name:ident ($($key:ident),+) $(kept $days:tt since $($since:ident),+)?;
        $record:ident { $($columns:tt)+ }
        $(with { $($further:ident: $kind:ident),+ $(,)? })?
    ) => {
        $crate::table::columns! { $record { $($columns)+ } }

        pub(crate) const $table: $crate::table::Table = $crate::table::Table {
            name: stringify!($name),
            key: &[$(stringify!($key)),+],
            columns: <$record as $crate::table::Columns>::COLUMNS,
            further: &[$($($crate::table::Column::$kind(stringify!($further))),+)?],
            kept: $crate::table::table!(@kept $($days, $($since)+)?),
        };
    };
    (
        $table:ident = $name:ident ($($key:ident),+) $(kept $days:tt since $($since:ident),+)?;
        { $($column:ident: $kind:ident),+ $(,)? }
    ) => {
        pub(crate) const $table: $crate::table::Table = $crate::table::Table {
            name: stringify!($name),
            key: &[$(stringify!($key)),+],
            columns: &[$($crate::table::Column::$kind(stringify!($column))),+],
            further: &[],
            kept: $crate::table::table!(@kept $($days, $($since)+)?),
        };
    };
    (@kept) => { None };
    (@kept $days:tt, $($since:ident)+) => {
        Some($crate::table::Kept { days: $crate::table::table!(@days $days), since: &[$(stringify!($since)),+] })
    };
    (@days $days:literal) => { |_| $days };
    (@days $days:ident) => { |config| config.$days };
}
pub(crate) use table;
