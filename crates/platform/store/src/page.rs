//! Keyset pagination: a page starts after the last row of the one before, so that rows that arrive meanwhile move
//! nothing. There are no page numbers and no totals, both would have to read everything.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::StoreError;
use crate::error::Failure;
use crate::row::Row;

/// Longest text of a cursor, in bytes.
const MAX_CURSOR: usize = 2048;

/// Which part of a list is wanted.
#[derive(Clone, Debug)]
pub struct Page {
    /// At most so many items, from 1 to [`Page::MAX_LIMIT`]; other numbers count as the nearest of these.
    pub limit: u32,
    /// Where the page before ended.
    pub after: Option<Cursor>,
}

impl Page {
    /// Items of a page where nothing is said.
    pub const DEFAULT_LIMIT: u32 = 50;
    /// Items of a page at most.
    pub const MAX_LIMIT: u32 = 500;

    /// The first page with at most `limit` items.
    pub const fn first(limit: u32) -> Self {
        Self { limit, after: None }
    }

    pub(crate) fn size(&self) -> u32 {
        self.limit.clamp(1, Self::MAX_LIMIT)
    }
}

impl Default for Page {
    fn default() -> Self {
        Self::first(Self::DEFAULT_LIMIT)
    }
}

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Listed<T> {
    /// The items.
    pub items: Vec<T>,
    /// Where the next page starts; none at the end.
    pub next: Option<Cursor>,
}

/// One value of the key that a list is ordered by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Key {
    /// A number or a time in microseconds.
    Int(i64),
    /// A text.
    Text(String),
}

/// A column that a list is ordered by: as SQL names it, as the row names it, and whether it holds a number.
pub(crate) struct Column {
    pub(crate) sql: &'static str,
    name: &'static str,
    number: bool,
}

impl Column {
    pub(crate) const fn int(sql: &'static str, name: &'static str) -> Self {
        Self { sql, name, number: true }
    }

    pub(crate) const fn text(sql: &'static str, name: &'static str) -> Self {
        Self { sql, name, number: false }
    }
}

/// The order of a list; its columns together are unique, so that every row has its place.
pub(crate) struct Order {
    pub(crate) list: &'static str,
    pub(crate) columns: &'static [Column],
    pub(crate) descending: bool,
}

impl Order {
    /// The page that these rows make: one more than the page has tells that there is a next one.
    pub(crate) fn listed<T>(
        &self,
        page: &Page,
        mut rows: Vec<Row>,
        read: impl Fn(&Row) -> Result<T, Failure>,
    ) -> Result<Listed<T>, Failure> {
        let size = page.size() as usize;
        let more = rows.len() > size;
        rows.truncate(size);
        let next = match rows.last() {
            Some(last) if more => Some(self.cursor(last)?),
            _ => None,
        };
        Ok(Listed { items: rows.iter().map(read).collect::<Result<_, _>>()?, next })
    }

    fn cursor(&self, row: &Row) -> Result<Cursor, Failure> {
        let key = |column: &Column| {
            if column.number { row.int(column.name).map(Key::Int) } else { row.text(column.name).map(Key::Text) }
        };
        Ok(Cursor { list: self.list.to_owned(), keys: self.columns.iter().map(key).collect::<Result<_, _>>()? })
    }
}

/// The place in a list, opaque to clients: the list's name and the key of the last item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    list: String,
    keys: Vec<Key>,
}

impl Cursor {
    /// The key, where this list gave the cursor out and the types fit.
    pub(crate) fn keys(&self, order: &Order) -> Result<&[Key], StoreError> {
        let fits = |(key, column): (&Key, &Column)| matches!(key, Key::Int(_)) == column.number;
        if self.list == order.list
            && self.keys.len() == order.columns.len()
            && self.keys.iter().zip(order.columns).all(fits)
        {
            Ok(&self.keys)
        } else {
            Err(StoreError::Cursor)
        }
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(&(&self.list, &self.keys)).map_err(|_| fmt::Error)?;
        f.write_str(&URL_SAFE_NO_PAD.encode(json))
    }
}

impl FromStr for Cursor {
    type Err = StoreError;

    fn from_str(text: &str) -> Result<Self, StoreError> {
        if text.len() > MAX_CURSOR {
            return Err(StoreError::Cursor);
        }
        let json = URL_SAFE_NO_PAD.decode(text).map_err(|_| StoreError::Cursor)?;
        let (list, keys) = serde_json::from_slice(&json).map_err(|_| StoreError::Cursor)?;
        Ok(Self { list, keys })
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}
