//! The client against servers of a few lines on this machine.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::thread::JoinHandle;

use super::*;

/// A server that gives these answers, one a connection, and then says what it was asked.
fn server(answers: Vec<String>) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let serving = std::thread::spawn(move || {
        let asked = answers.into_iter().map(|answer| {
            let (mut client, _) = listener.accept().unwrap();
            let mut request = [0; 4096];
            let read = client.read(&mut request).unwrap();
            client.write_all(answer.as_bytes()).unwrap();
            String::from_utf8_lossy(&request[..read]).into_owned()
        });
        asked.collect()
    });
    (address, serving)
}

fn found(status: u16, location: &str) -> String {
    format!("HTTP/1.1 {status} Found\r\nLocation: {location}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

fn network(allow: &[&str]) -> Network {
    Network { allow: allow.iter().map(ToString::to_string).collect(), ..Network::default() }
}

fn post(url: String) -> Request {
    Request {
        headers: vec![("Authorization".into(), "Bearer secret".into())],
        body: b"payload".to_vec(),
        redirects: true,
        ..Request::new("POST", url)
    }
}

#[test]
fn a_redirect_to_a_host_that_is_not_permitted_is_not_followed() {
    let (address, serving) = server(vec![found(302, "http://localhost:1/")]);
    let error = send(&post(format!("http://{address}/")), &network(&[&address])).unwrap_err();
    assert!(matches!(&error, HttpError::Refused(text) if text.contains("unallowed host: localhost")), "{error}");
    serving.join().unwrap();
}

#[test]
fn neither_credentials_nor_body_go_where_a_redirect_leads() {
    let (second, second_serving) = server(vec![OK.into()]);
    let (first, first_serving) = server(vec![found(303, &format!("http://{second}/next"))]);
    let answer = send(&post(format!("http://{first}/")), &network(&["127.0.0.1"])).unwrap();
    assert_eq!((answer.status, answer.body), (200, b"ok".to_vec()));
    assert!(first_serving.join().unwrap()[0].contains("Bearer secret"));
    let asked = second_serving.join().unwrap().remove(0);
    assert!(asked.starts_with("GET /next ") && !asked.contains("secret") && !asked.contains("payload"), "{asked}");
}

#[test]
fn a_relative_redirect_stays_and_a_permanent_one_keeps_the_method() {
    let (address, serving) = server(vec![found(308, "deeper?x=1"), OK.into()]);
    let answer = send(&post(format!("http://{address}/a/b")), &network(&[&address])).unwrap();
    assert_eq!(answer.status, 200);
    let asked = serving.join().unwrap();
    assert!(asked[1].starts_with("POST /a/deeper?x=1 ") && asked[1].contains("Bearer secret"), "{}", asked[1]);
}

#[test]
fn a_refusal_is_not_tried_again_and_a_broken_connection_is() {
    let (address, serving) = server(vec![String::new(), OK.into()]);
    let retried = Request { retries: 1, ..Request::new("GET", format!("http://{address}/")) };
    assert_eq!(send(&retried, &network(&[&address])).unwrap().status, 200);
    assert_eq!(serving.join().unwrap().len(), 2);
    let metadata = Request { retries: 3, ..Request::new("GET", "http://169.254.169.254/latest/meta-data") };
    let error = send(&metadata, &network(&["*.254"])).unwrap_err();
    assert!(matches!(&error, HttpError::Refused(text) if text.contains("metadata")), "{error}");
}

#[test]
fn unverified_certificates_need_the_configuration() {
    let request = Request { unverified_tls: true, ..Request::new("GET", "https://127.0.0.1:1/") };
    assert!(matches!(send(&request, &network(&["127.0.0.1"])), Err(HttpError::Refused(_))));
    let permitted = Network { allow_unverified_tls: true, ..network(&["127.0.0.1"]) };
    assert!(matches!(send(&request, &permitted), Err(HttpError::Transport(_))));
}

#[test]
fn every_authority_of_a_bundle_counts_and_one_is_needed() {
    let item = |kind: &str| format!("-----BEGIN {kind}-----\nAQIDBA==\n-----END {kind}-----\n");
    let bundle = [item("CERTIFICATE"), item("PRIVATE KEY"), item("CERTIFICATE")].concat();
    assert_eq!(authorities(&bundle).unwrap().len(), 2);
    for useless in ["", "no PEM", &item("PRIVATE KEY")] {
        assert!(matches!(authorities(useless), Err(HttpError::Refused(_))), "{useless}");
    }
}

#[test]
fn an_answer_is_bounded() {
    let (address, serving) = server(vec![OK.into()]);
    let small = Request { max_answer: 1, ..Request::new("GET", format!("http://{address}/")) };
    assert!(matches!(send(&small, &network(&[&address])), Err(HttpError::Transport(_))));
    serving.join().unwrap();
}
