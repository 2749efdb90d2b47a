//! Changes arrive in order, only where they may be seen, resume where they ended, and bounded in number.

use std::time::Duration;

use http::StatusCode;
use jiff::Timestamp;
use palisade_store::Role;
use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::contract::until;
use super::desk::{Desk, observed};

/// An open stream.
struct Stream(BufReader<TcpStream>);

impl Stream {
    /// Opens a stream; the status and, where it is 200, the stream behind its headers.
    async fn open(desk: &Desk, token: &str, last: Option<i64>) -> (u16, Self) {
        let mut socket = TcpStream::connect(desk.server.addresses().api).await.unwrap();
        let last = last.map_or(String::new(), |last| format!("last-event-id: {last}\r\n"));
        let head = format!("GET /api/v1/changes HTTP/1.1\r\nhost: a\r\nauthorization: Bearer {token}\r\n{last}\r\n");
        socket.write_all(head.as_bytes()).await.unwrap();
        let mut stream = Self(BufReader::new(socket));
        let status = stream.line().await.split(' ').nth(1).unwrap().parse().unwrap();
        while !stream.line().await.is_empty() {}
        (status, stream)
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        let read = tokio::time::timeout(Duration::from_secs(10), self.0.read_line(&mut line)).await;
        read.expect("the stream is silent").unwrap();
        line.trim_end().to_owned()
    }

    /// The number, topic and data of the next event.
    async fn event(&mut self) -> (i64, String, Value) {
        let (mut id, mut topic) = (0, String::new());
        loop {
            let line = self.line().await;
            if let Some(text) = line.strip_prefix("id: ") {
                id = text.parse().unwrap();
            } else if let Some(text) = line.strip_prefix("event: ") {
                topic = text.into();
            } else if let Some(text) = line.strip_prefix("data: ") {
                return (id, topic, serde_json::from_str(text).unwrap());
            }
        }
    }
}

async fn observe(desk: &Desk, team: &str, name: &str) {
    desk.store.record_observations(&[observed(team, name, 1, Timestamp::now())]).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_tells_of_its_own_team_and_goes_on_where_it_ended() {
    let desk = Desk::open().await;
    let red = desk.token("red", Role::Developer, Some("red")).await;
    let (status, mut stream) = Stream::open(&desk, &red, None).await;
    assert_eq!(status, 200);
    for (team, name) in [("blue", "1"), ("red", "1"), ("blue", "2"), ("red", "2")] {
        observe(&desk, team, name).await;
    }
    let (first, topic, data) = stream.event().await;
    assert_eq!((topic.as_str(), &data["team"], &data["body"]["opened"]), ("findings", &"red".into(), &1.into()));
    let (second, _, data) = stream.event().await;
    assert!(second > first && data["team"] == "red", "{data}");
    drop(stream);
    observe(&desk, "red", "3").await;
    let (_, mut stream) = Stream::open(&desk, &red, Some(first)).await;
    assert_eq!(stream.event().await.0, second, "nothing was missed");
    let (third, _, data) = stream.event().await;
    assert!(third > second && data["team"] == "red");
    let (_, mut ahead) = Stream::open(&desk, &red, Some(third + 1_000_000)).await;
    assert_eq!(ahead.event().await.1, "reset", "a number that was never given");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feed_answers_by_its_old_name_and_says_that_it_goes() {
    let desk = Desk::open().await;
    let answer = desk.get("/api/v1/events?drain=true", &desk.admin().await).await;
    assert_eq!((answer.status, answer.headers.contains_key("deprecation")), (StatusCode::OK, true), "{answer:?}");
    let answer = desk.get("/api/v1/changes?drain=true", &desk.admin().await).await;
    assert_eq!((answer.status, answer.headers.contains_key("deprecation")), (StatusCode::OK, false), "{answer:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_and_those_that_broke_off_make_room() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..200 {
        let (status, stream) = Stream::open(&desk, &admin, None).await;
        match status {
            200 => open.push(stream),
            503 => refused += 1,
            other => panic!("unexpected status {other}"),
        }
    }
    assert_eq!((open.len(), refused), (50, 150), "one caller has 50 streams at most");
    drop(open);
    until("places are free again", async || Stream::open(&desk, &admin, None).await.0 == 200).await;
    assert_eq!(desk.get("/api/v1/status", &admin).await.status, StatusCode::OK);
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_end_when_the_server_stops() {
    let desk = Desk::open_with(|config| {
        config.server.linger = Duration::ZERO;
        config.server.drain = Duration::from_secs(30);
    })
    .await;
    let admin = desk.admin().await;
    let (_, mut stream) = Stream::open(&desk, &admin, None).await;
    assert!(!stream.line().await.is_empty(), "the stream is open");
    let Desk { server, .. } = desk;
    let began = tokio::time::Instant::now();
    server.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10), "stopping took {:?}", began.elapsed());
    let mut rest = Vec::new();
    tokio::io::AsyncReadExt::read_to_end(&mut stream.0, &mut rest).await.unwrap();
    assert!(rest.ends_with(b"0\r\n\r\n"), "the stream ended in order: {:?}", String::from_utf8_lossy(&rest));
}
