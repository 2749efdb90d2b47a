//! Backups: everything that is stored, in a file beside the server's data, to be fetched or left there.

use std::path::PathBuf;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, header};
use palisade_api::{Code, Created, Description, Done, List, Output, PREFIX, Part, Problem, UUID, is_uuid, shape};
use palisade_identity::{Authorized, Endpoint, Permission, Reach, Role};
use serde::Serialize;
use tokio::fs::File;
use tokio::io::AsyncReadExt as _;
use utoipa::ToSchema;
use utoipa::openapi::schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, ResponseBuilder};

use crate::Context;
use crate::capability::administration::audit::note;

/// Backups that are kept at most; a further one needs an older one to be removed first.
const KEPT: usize = 10;
/// Bytes that are read at once.
const PIECE: usize = 64 << 10;
const SUFFIX: &str = ".backup";

/// Make, fetch and remove backups of everything that is stored.
pub(crate) const MANAGE_BACKUPS: Permission = Permission::new(
    "manage-backups",
    "make, fetch and remove backups of everything that is stored",
    Reach::Platform,
    &[Role::Admin],
);

pub(crate) fn endpoints() -> Vec<Endpoint<Arc<Backups>>> {
    vec![
        Endpoint::get(MANAGE_BACKUPS, "/backups", list).named("listBackups", "Backups on the server."),
        Endpoint::post(MANAGE_BACKUPS, "/backups", make)
            .named("makeBackup", "Writes everything that is stored to a file, as of one moment."),
        Endpoint::get(MANAGE_BACKUPS, "/backups/{backup}", fetch).named("fetchBackup", "The file itself."),
        Endpoint::delete(MANAGE_BACKUPS, "/backups/{backup}", delete).named("deleteBackup", "Removes a backup."),
    ]
}

shape!(
    /// Identifier of a backup.
    BackupId, "backup", 36, UUID, is_uuid
);

/// A backup.
#[derive(Debug, Serialize, ToSchema)]
struct Backup {
    /// Its identifier.
    id: String,
    /// Its size in bytes.
    bytes: u64,
}

/// Where backups are.
pub(crate) struct Backups {
    context: Context,
    /// One is written at a time.
    turn: tokio::sync::Mutex<()>,
}

impl Backups {
    pub(crate) fn new(context: &Context) -> Self {
        Self { context: context.clone(), turn: tokio::sync::Mutex::default() }
    }

    fn folder(&self) -> PathBuf {
        self.context.config.server.data_folder().join("backups")
    }

    fn file(&self, id: &str) -> PathBuf {
        self.folder().join(format!("{id}{SUFFIX}"))
    }
}

fn failed(error: &std::io::Error) -> Problem {
    Problem::internal("keeping backups", error)
}

/// The backups there are, the newest first: their identifiers begin with the time.
async fn present(backups: &Backups) -> Result<Vec<Backup>, Problem> {
    let mut entries = match tokio::fs::read_dir(backups.folder()).await {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| failed(&error))?,
    };
    let mut found = Vec::new();
    while let Some(entry) = entries.next_entry().await.map_err(|error| failed(&error))? {
        let name = entry.file_name();
        let id = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)).filter(|id| is_uuid(id));
        if let Some(id) = id {
            let bytes = entry.metadata().await.map_err(|error| failed(&error))?.len();
            found.push(Backup { id: id.to_owned(), bytes });
        }
    }
    found.sort_by(|a, b| b.id.cmp(&a.id));
    Ok(found)
}

async fn list(State(backups): State<Arc<Backups>>, _: Authorized) -> Result<List<Backup>, Problem> {
    Ok(List::whole(present(&backups).await?))
}

async fn make(State(backups): State<Arc<Backups>>, authorized: Authorized) -> Result<Created<Backup>, Problem> {
    let Ok(_turn) = backups.turn.try_lock() else {
        return Err(Problem::new(Code::Conflict, "another backup is being written; try again when it is done"));
    };
    if present(&backups).await?.len() >= KEPT {
        let detail = format!("there are {KEPT} backups already; remove one with `DELETE {PREFIX}/backups/ID` first");
        return Err(Problem::new(Code::Conflict, detail));
    }
    tokio::fs::create_dir_all(backups.folder()).await.map_err(|error| failed(&error))?;
    let id = uuid::Uuid::now_v7().to_string();
    let path = backups.file(&id);
    note(&backups.context, &authorized, "backup.make", &id, None).await?;
    backups.context.store.backup(&path).await?;
    let bytes = tokio::fs::metadata(&path).await.map_err(|error| failed(&error))?.len();
    Ok(Created { location: format!("{PREFIX}/backups/{id}"), body: Backup { id, bytes } })
}

/// A file on its way to the client.
struct Download(File);

impl Output for Download {
    fn describe(description: &mut Description) {
        let schema = ObjectBuilder::new()
            .schema_type(SchemaType::new(Type::String))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::Binary)));
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let response = ResponseBuilder::new().description("The file.").content("application/octet-stream", content);
        description.responses.push((200, response.build()));
    }
}

impl IntoResponse for Download {
    fn into_response(self) -> Response {
        let pieces = stream::try_unfold(self.0, async |mut file| {
            let mut piece = vec![0; PIECE];
            let read = file.read(&mut piece).await?;
            piece.truncate(read);
            Ok::<_, std::io::Error>((read > 0).then(|| (Bytes::from(piece), file)))
        });
        let mut response = Body::from_stream(pieces).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        headers
            .insert(header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"palisade.backup\""));
        response
    }
}

async fn fetch(
    State(backups): State<Arc<Backups>>,
    authorized: Authorized,
    Part(id, _): Part<BackupId>,
) -> Result<Download, Problem> {
    let opened = File::open(backups.file(&id)).await.map_err(|error| missing(&error))?;
    note(&backups.context, &authorized, "backup.fetch", &id, None).await?;
    Ok(Download(opened))
}

async fn delete(
    State(backups): State<Arc<Backups>>,
    authorized: Authorized,
    Part(id, _): Part<BackupId>,
) -> Result<Done, Problem> {
    tokio::fs::remove_file(backups.file(&id)).await.map_err(|error| missing(&error))?;
    note(&backups.context, &authorized, "backup.delete", &id, None).await?;
    Ok(Done)
}

fn missing(error: &std::io::Error) -> Problem {
    match error.kind() {
        std::io::ErrorKind::NotFound => Problem::not_found("backup"),
        _ => failed(error),
    }
}
