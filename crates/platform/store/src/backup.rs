//! Everything in one portable file, from and to either database.
//!
//! The file is JSON lines: a header with the version of the schema, a line per row, and a last line with the number of
//! rows and a SHA-256 over all lines before it. A backup of an older schema is loaded at that schema and migrated.
//! Passwords are nowhere in the store; of secrets the file has the hashes, so keep it as safe as the database.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use palisade_model::hex;
use palisade_runtime::blocking;
use palisade_runtime::files::put_in_place;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};
use tokio::fs::File;
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, BufWriter};
use tokio::sync::Mutex;

use crate::changes::COUNTERS;
use crate::database::{Database, Session};
use crate::error::Failure;
use crate::migrations::{migrate, newest};
use crate::statement::{Bound, Sql};
use crate::store::process_time;
use crate::tables::{RETIRED, TABLES};
use crate::{Store, StoreConfig, StoreError};

const FORMAT: &str = "palisade-backup";
/// The longest line of a backup, in bytes.
const MAX_LINE: u64 = 64 << 20;
/// Rows and bytes of one inserting statement.
const ROWS: usize = 100;
const BYTES: usize = 4 << 20;
/// Values of one statement that SQLite takes.
const VALUES: usize = 32_000;

/// The version of the schema that brought the counters, the one table that is not empty to begin with.
const COUNTED: i64 = 4;

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    schema: i64,
    created: Timestamp,
}

#[derive(Serialize, Deserialize)]
struct Line {
    table: String,
    row: Map<String, Value>,
}

#[derive(Serialize, Deserialize)]
struct Footer {
    rows: u64,
    sha256: String,
}

fn unusable(reason: impl std::fmt::Display) -> StoreError {
    StoreError::Backup(reason.to_string())
}

impl Store {
    /// Writes everything to a new file, as of one moment. Returns how many rows there were. Where it fails, there is
    /// no file. One that exists already is not replaced.
    pub async fn backup(&self, file: &Path) -> Result<u64, StoreError> {
        if tokio::fs::try_exists(file).await.map_err(unusable)? {
            return Err(unusable(format!("`{}` exists already; name another file", file.display())));
        }
        let partial = PathBuf::from(format!("{}.partial", file.display()));
        let result = self.write_backup(&partial).await;
        match result {
            Ok(rows) => {
                let file = file.to_owned();
                blocking("naming the backup", move || put_in_place(&partial, &file))
                    .await
                    .map_err(unusable)?
                    .map_err(unusable)?;
                Ok(rows)
            }
            Err(failure) => {
                // The failure itself matters more than a file that cannot be removed.
                let _ = tokio::fs::remove_file(&partial).await;
                Err(failure.into_error("writing a backup"))
            }
        }
    }

    async fn write_backup(&self, file: &Path) -> Result<u64, Failure> {
        let writer = Mutex::new(Writer::create(file).await?);
        let mut session = self.database.snapshot().await?;
        let row = session.row(Sql::new("SELECT max(version) AS version FROM migrations")).await?;
        let schema = row.map_or(Ok(0), |row| row.int("version"))?;
        let header = Header { format: FORMAT.to_owned(), schema, created: process_time() };
        writer.lock().await.line(&header).await?;
        for table in TABLES {
            let write = |row: crate::row::Row| {
                let writer = &writer;
                async move {
                    let line = Line { table: table.name.to_owned(), row: row.document()? };
                    Ok(writer.lock().await.line(&line).await?)
                }
            };
            session.stream(table.all(), write).await?;
        }
        session.commit().await?;
        Ok(writer.into_inner().finish().await?)
    }

    /// Fills an empty store from a file that [`Store::backup`] wrote, from either database, and returns how many rows.
    /// A store that holds anything is refused, and a file that is not whole. All or nothing is restored.
    pub async fn restore(config: &StoreConfig, data_dir: &Path, file: &Path) -> Result<u64, StoreError> {
        let header = verify(file).await?;
        let database = Database::connect(config, data_dir).await?;
        let result = restore(&database, &header, file).await;
        database.close().await;
        result.map_err(|failure| failure.into_error("restoring a backup"))
    }
}

struct Writer {
    file: BufWriter<File>,
    digest: Sha256,
    /// Lines written so far.
    lines: u64,
}

impl Writer {
    async fn create(file: &Path) -> Result<Self, StoreError> {
        let mut options = tokio::fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        options.mode(0o600);
        let file = options.open(file).await.map_err(unusable)?;
        Ok(Self { file: BufWriter::new(file), digest: Sha256::new(), lines: 0 })
    }

    async fn line(&mut self, line: &impl Serialize) -> Result<(), StoreError> {
        let mut text = serde_json::to_vec(line).map_err(unusable)?;
        text.push(b'\n');
        self.digest.update(&text);
        self.lines += 1;
        self.file.write_all(&text).await.map_err(unusable)
    }

    async fn finish(mut self) -> Result<u64, StoreError> {
        let rows = self.lines.saturating_sub(1);
        let footer = Footer { rows, sha256: hex(&self.digest.clone().finalize()) };
        self.line(&footer).await?;
        self.file.flush().await.map_err(unusable)?;
        self.file.get_ref().sync_all().await.map_err(unusable)?;
        Ok(rows)
    }
}

struct Reader {
    file: BufReader<File>,
    line: Vec<u8>,
}

impl Reader {
    async fn open(file: &Path) -> Result<Self, StoreError> {
        let opened = File::open(file).await;
        let opened = opened.map_err(|error| unusable(format!("`{}` cannot be read: {error}", file.display())))?;
        Ok(Self { file: BufReader::new(opened), line: Vec::new() })
    }

    /// The next line with its line break; none at the end.
    async fn next(&mut self) -> Result<Option<&[u8]>, StoreError> {
        self.line.clear();
        let read = (&mut self.file).take(MAX_LINE).read_until(b'\n', &mut self.line).await.map_err(unusable)?;
        match read {
            0 => Ok(None),
            _ if self.line.last() != Some(&b'\n') => Err(unusable("it is cut off, or has a line that is too long")),
            _ => Ok(Some(&self.line)),
        }
    }
}

/// Reads the whole file once, before anything is written, and compares its digest.
async fn verify(file: &Path) -> Result<Header, StoreError> {
    let mut reader = Reader::open(file).await?;
    let first = reader.next().await?.ok_or_else(|| unusable("it is empty"))?;
    let header: Header = serde_json::from_slice(first).map_err(|_| unusable("it does not begin as a backup does"))?;
    if header.format != FORMAT {
        return Err(unusable(format!("its format is `{}`, expected `{FORMAT}`", header.format)));
    }
    if header.schema > newest() || header.schema < 1 {
        return Err(StoreError::FromTheFuture { found: header.schema, known: newest() });
    }
    let mut digest = Sha256::new();
    let mut last = first.to_vec();
    let mut lines = 0_u64;
    while let Some(line) = reader.next().await? {
        digest.update(&last);
        lines += 1;
        last.clear();
        last.extend_from_slice(line);
    }
    let footer: Footer =
        serde_json::from_slice(&last).map_err(|_| unusable("it is cut off: the last line is missing"))?;
    if footer.rows + 1 != lines || footer.sha256 != hex(&digest.finalize()) {
        return Err(unusable("its digest does not match: it was changed or damaged"));
    }
    Ok(header)
}

async fn restore(database: &Database, header: &Header, file: &Path) -> Result<u64, Failure> {
    let mut session = database.write().await?;
    // Creates what is missing, so that every table can be asked, and refuses foreign and newer databases.
    migrate(&mut session, newest(), process_time()).await?;
    let tables = || TABLES.iter().map(|table| table.name);
    for table in tables().filter(|table| *table != COUNTERS.name) {
        if session.row(Sql::new("SELECT 1 AS one FROM ").push(table).push(" LIMIT 1")).await?.is_some() {
            let reason = format!("the store has {table} already; restore into an empty one");
            return Err(StoreError::Backup(reason).into());
        }
    }
    for table in tables().rev().chain(["migrations"]) {
        session.execute(Sql::new("DROP TABLE ").push(table)).await?;
    }
    migrate(&mut session, header.schema, process_time()).await?;
    if header.schema >= COUNTED {
        session.execute(Sql::new("DELETE FROM counters")).await?;
    }
    let rows = load(&mut session, file).await?;
    migrate(&mut session, newest(), process_time()).await?;
    session.commit().await?;
    Ok(rows)
}

async fn load(session: &mut Session, file: &Path) -> Result<u64, Failure> {
    let mut reader = Reader::open(file).await?;
    let mut batch = Batch::default();
    let mut rows = 0;
    reader.next().await?;
    while let Some(line) = reader.next().await? {
        // The last line is no row; the digest has shown that there is one.
        let Ok(line) = serde_json::from_slice::<Line>(line) else { break };
        rows += 1;
        if !batch.takes(&line) {
            batch.insert(session).await?;
        }
        batch.add(line)?;
    }
    batch.insert(session).await?;
    Ok(rows)
}

/// Rows of one table with the same columns, to be inserted by one statement.
#[derive(Default)]
struct Batch {
    table: &'static str,
    columns: Vec<String>,
    rows: Vec<BTreeMap<String, Value>>,
    bytes: usize,
}

impl Batch {
    fn takes(&self, line: &Line) -> bool {
        self.table == line.table
            && self.columns.iter().eq(line.row.keys())
            && self.rows.len() < ROWS.min(VALUES / self.columns.len().max(1))
            && self.bytes < BYTES
    }

    fn add(&mut self, line: Line) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            let mut known = TABLES.iter().map(|table| table.name).chain(RETIRED.iter().copied());
            let known = known.find(|table| *table == line.table);
            self.table = known.ok_or_else(|| unusable(format!("it has rows of an unknown table `{}`", line.table)))?;
            self.columns = line.row.keys().cloned().collect();
        }
        let named =
            |name: &String| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if !self.columns.iter().all(named) {
            return Err(unusable(format!("it has an unknown column of `{}`", self.table)));
        }
        self.bytes += line.row.values().filter_map(Value::as_str).map(str::len).sum::<usize>();
        self.rows.push(line.row.into_iter().collect());
        Ok(())
    }

    async fn insert(&mut self, session: &mut Session) -> Result<(), Failure> {
        let batch = std::mem::take(self);
        if batch.rows.is_empty() {
            return Ok(());
        }
        let mut sql = Sql::new("INSERT INTO ").push(batch.table).push(" (");
        for (index, column) in batch.columns.iter().enumerate() {
            sql = if index == 0 { sql } else { sql.push(", ") }.identifier(column);
        }
        let sql = sql.push(") VALUES ").tuples(batch.rows, |row| row.into_values().map(bound).collect());
        session.execute(sql).await.map(|_| ())
    }
}

fn bound(value: Value) -> Bound {
    match value {
        Value::String(text) => Bound::Text(text),
        other => other.as_i64().map_or(Bound::NoInt, Bound::Int),
    }
}
