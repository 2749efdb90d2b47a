//! The feed of changes as server-sent events: what changed, to those who may see it, from wherever they left off.

mod feed;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequestParts, State};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use http::request::Parts;
use http::{HeaderName, HeaderValue, header};
use palisade_api::{Code, Description, Input, Output, Problem, Query};
use palisade_identity::permission::READ;
use palisade_identity::{Authorized, Endpoint, Teams};
use palisade_store::Change;
use serde::Deserialize;
use serde_json::json;
use tokio::sync::{broadcast, mpsc};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;
use utoipa::IntoParams;
use utoipa::openapi::path::{ParameterBuilder, ParameterIn};
use utoipa::openapi::schema::{ObjectBuilder, SchemaType, Type};
use utoipa::openapi::{ContentBuilder, Required, ResponseBuilder};

use super::{Capability, Ground, Plug};
use crate::Context;
use feed::{BATCH, Batch, Feed, Place};

/// How often something is sent where nothing happens, so that proxies and clients know that the stream lives.
const HEARTBEAT: Duration = Duration::from_secs(15);
/// How long a stream lasts. The client comes back with its last number, and proves anew who it is.
const LIFE: Duration = Duration::from_mins(5);
/// How long a client may leave what was sent unread.
const PATIENCE: Duration = Duration::from_secs(30);
/// Pieces that wait for a client.
const QUEUE: usize = 8;
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The capability.
pub(super) const CAPABILITY: Capability = Capability {
    tables: &["changes", "counters"],
    ..Capability::new("changes", "the feed of what changes, as server-sent events", plug)
};

fn plug(ground: &Ground<'_>, plug: &mut Plug) {
    let (context, stop) = (ground.context.clone(), ground.streams.clone());
    let feed = Feed::new(context.store.clone(), stop.clone());
    plug.routes(&Arc::new(Changes { context, feed, stop }), endpoints());
}

/// What streams share.
struct Changes {
    context: Context,
    feed: Feed,
    /// Set when the server stops: streams end.
    stop: CancellationToken,
}

fn endpoints() -> Vec<Endpoint<Arc<Changes>>> {
    vec![
        Endpoint::get(READ, "/changes", changes)
            .named("streamChanges", "What changes, as server-sent events; resumed by `Last-Event-ID`.")
            .problems(&[Code::Unavailable]),
        Endpoint::get(READ, "/events", changes)
            .named("streamEvents", "`/changes` by the name that it had.")
            .problems(&[Code::Unavailable])
            .deprecated(),
    ]
}

/// Which changes are wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
struct ChangeQuery {
    /// The topic; all where nothing is said.
    topic: Option<String>,
    /// The team that they concern.
    team: Option<String>,
    /// Whether to end where no more changes are stored, instead of waiting for further ones.
    drain: Option<bool>,
}

/// The number after which to go on.
struct LastEventId(Option<i64>);

impl Input for LastEventId {
    fn describe(description: &mut Description) {
        let schema = ObjectBuilder::new().schema_type(SchemaType::new(Type::String)).pattern(Some("^[0-9]{1,18}$"));
        let parameter = ParameterBuilder::new()
            .name("Last-Event-ID")
            .parameter_in(ParameterIn::Header)
            .required(Required::False)
            .description(Some("The `id` of the last event that was received; only new ones are sent without it."))
            .schema(Some(schema));
        description.parameters.push(parameter.build());
    }
}

impl<S: Send + Sync> FromRequestParts<S> for LastEventId {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let Some(value) = parts.headers.get(LAST_EVENT_ID) else { return Ok(Self(None)) };
        let digits = value
            .to_str()
            .ok()
            .filter(|text| (1..=18).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit()));
        let number = digits.and_then(|text| text.parse().ok());
        let wrong = || Problem::invalid("`Last-Event-ID` is the `id` of an event, a whole number");
        number.map(|number| Self(Some(number))).ok_or_else(wrong)
    }
}

/// A stream of events.
struct Events(mpsc::Receiver<Bytes>);

impl Output for Events {
    fn describe(description: &mut Description) {
        let schema = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        let content = ContentBuilder::new().schema(Some(schema)).build();
        let text = "A stream of events: `id` is the change's number, `event` its topic, `data` a JSON object with `time`, \
                    `team` and `body`. `reset` says that changes were missed because they are no longer kept.";
        let response = ResponseBuilder::new().description(text).content("text/event-stream", content);
        description.responses.push((200, response.build()));
    }
}

impl IntoResponse for Events {
    fn into_response(self) -> Response {
        let pieces = stream::unfold(self.0, async |mut receiver| {
            receiver.recv().await.map(|piece| (Ok::<_, std::convert::Infallible>(piece), receiver))
        });
        let mut response = Body::from_stream(pieces).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
        headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
        response
    }
}

async fn changes(
    State(changes): State<Arc<Changes>>,
    authorized: Authorized,
    Query(query): Query<ChangeQuery>,
    LastEventId(last): LastEventId,
) -> Result<Events, Problem> {
    let Some(place) = changes.feed.place(authorized.caller().id()) else {
        let detail = "too many streams of changes are open; close one, or try again later";
        return Err(Problem::new(Code::Unavailable, detail).retry_after(30));
    };
    let receiver = changes.feed.subscribe().await?;
    let position = match last {
        Some(last) => last,
        None => changes.context.store.last_change().await?,
    };
    let (sender, pieces) = mpsc::channel(QUEUE);
    let drain = query.drain.unwrap_or(false);
    let sight = Sight { teams: authorized.teams().clone(), query };
    let subscriber = Subscriber { changes, sight, position, sender, _place: place };
    tokio::spawn(subscriber.run(receiver, drain));
    Ok(Events(pieces))
}

/// Which changes a subscriber gets.
struct Sight {
    teams: Teams,
    query: ChangeQuery,
}

impl Sight {
    /// What concerns everybody is about what is shared by all; whatever belongs to somebody names the team.
    fn has(&self, change: &Change) -> bool {
        let shared = matches!(&*change.topic, "policies" | "owners");
        let within = match &change.team {
            Some(team) => self.teams.contains(Some(team)),
            // What controllers remember concerns nobody, and was told under this topic once.
            None => shared || self.teams == Teams::All && change.topic != "settings",
        };
        let wanted = |asked: &Option<String>, is: Option<&str>| asked.as_deref().is_none_or(|asked| Some(asked) == is);
        within && wanted(&self.query.topic, Some(&change.topic)) && wanted(&self.query.team, change.team.as_deref())
    }
}

/// One open stream.
struct Subscriber {
    changes: Arc<Changes>,
    sight: Sight,
    /// The number of the last change that was looked at.
    position: i64,
    sender: mpsc::Sender<Bytes>,
    _place: Place,
}

/// The client is gone, or does not read, or the store is away; it comes back with its last number.
struct Gone;

impl Subscriber {
    async fn run(mut self, mut receiver: broadcast::Receiver<Arc<Batch>>, drain: bool) {
        let stop = self.changes.stop.clone();
        // Whatever ends a stream, the client resumes it.
        let _ = stop.run_until_cancelled(self.serve(&mut receiver, drain)).await;
    }

    async fn serve(&mut self, receiver: &mut broadcast::Receiver<Arc<Batch>>, drain: bool) -> Result<(), Gone> {
        let end = Instant::now() + LIFE;
        self.send("retry: 2000\n\n".to_owned()).await?;
        self.tell_of_lost_changes().await?;
        self.catch_up().await?;
        while !drain && Instant::now() < end {
            tokio::select! {
                () = self.sender.closed() => return Err(Gone),
                batch = timeout(HEARTBEAT, receiver.recv()) => match batch {
                    Err(_) => self.send(": alive\n\n".to_owned()).await?,
                    Ok(Ok(batch)) if batch.after <= self.position => self.tell(&batch.changes).await?,
                    Ok(Ok(_) | Err(broadcast::error::RecvError::Lagged(_))) => self.catch_up().await?,
                    Ok(Err(broadcast::error::RecvError::Closed)) => return Err(Gone),
                },
            }
        }
        Ok(())
    }

    /// Says so where changes after the client's position are no longer kept.
    async fn tell_of_lost_changes(&mut self) -> Result<(), Gone> {
        let store = &self.changes.context.store;
        let last = store.last_change().await.map_err(|_| Gone)?;
        let oldest = store.oldest_change().await.map_err(|_| Gone)?.unwrap_or(last + 1);
        // A number from the future belongs to another database: what it stood for is not here.
        if self.position > last || self.position + 1 < oldest && self.position < last {
            self.position = last;
            self.send(format!("id: {last}\nevent: reset\ndata: {{}}\n\n")).await?;
        }
        Ok(())
    }

    async fn catch_up(&mut self) -> Result<(), Gone> {
        loop {
            let changes = self.changes.context.store.changes_after(self.position, BATCH).await.map_err(|_| Gone)?;
            let full = changes.len() >= BATCH as usize;
            self.tell(&changes).await?;
            if !full {
                return Ok(());
            }
        }
    }

    async fn tell(&mut self, changes: &[Change]) -> Result<(), Gone> {
        let mut text = String::new();
        for change in changes.iter().filter(|change| change.id > self.position) {
            if self.sight.has(change) {
                let data = json!({"time": change.time, "team": change.team, "body": change.body});
                // Writing into a string does not fail.
                let _ = write!(text, "id: {}\nevent: {}\ndata: {data}\n\n", change.id, change.topic);
            }
        }
        self.position = changes.last().map_or(self.position, |change| self.position.max(change.id));
        if text.is_empty() { Ok(()) } else { self.send(text).await }
    }

    async fn send(&self, text: String) -> Result<(), Gone> {
        let sent = timeout(PATIENCE, self.sender.send(text.into())).await;
        sent.map_err(|_| Gone)?.map_err(|_| Gone)
    }
}
