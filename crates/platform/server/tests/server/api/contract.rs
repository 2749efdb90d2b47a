//! What every client may rely on: problem documents, lists, tags, headers, the document and its reference page.

use http::{Method, StatusCode};
use jiff::{SignedDuration, Timestamp};
use palisade_store::Role;
use serde_json::json;

use super::desk::{Desk, observed};

#[tokio::test(flavor = "multi_thread")]
async fn whatever_fails_is_a_problem_that_names_the_request() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let json = [("content-type", "application/json")];
    let cases = [
        (Method::GET, "/api/v1/nowhere", admin.as_str(), &json[..0], "", 404, "not-found"),
        (Method::DELETE, "/api/v1/findings", &admin, &[], "", 405, "method-not-allowed"),
        (
            Method::OPTIONS,
            "/api/v1/findings",
            &admin,
            &[("origin", "https://evil.example")],
            "",
            405,
            "method-not-allowed",
        ),
        (Method::GET, "/api/v1/findings", "", &[], "", 401, "unauthenticated"),
        (Method::GET, "/api/v1/findings?teem=a", &admin, &[], "", 400, "invalid"),
        (Method::GET, "/api/v1/findings?team=a&team=b", &admin, &[], "", 400, "invalid"),
        (Method::GET, "/api/v1/findings?limit=0", &admin, &[], "", 400, "invalid"),
        (Method::GET, "/api/v1/findings?after=x", &admin, &[], "", 404, "unknown-cursor"),
        (
            Method::POST,
            "/api/v1/evaluate",
            &admin,
            &[("content-type", "text/yaml")],
            "a: 1",
            415,
            "unsupported-media-type",
        ),
        (Method::POST, "/api/v1/evaluate", &admin, &json, "{", 400, "invalid"),
        (Method::POST, "/api/v1/evaluate", &admin, &json, r#"{"object": {}, "operaton": "CREATE"}"#, 400, "invalid"),
        (Method::POST, "/api/v1/evaluate", &admin, &json, r#"{"object": {}}"#, 422, "unprocessable"),
    ];
    for (method, path, token, headers, body, status, code) in cases {
        let answer = desk.send(method, path, token, headers, body).await;
        assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (status, code), "{path}: {answer:?}");
        assert_eq!(answer.headers["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers["cache-control"], "no-store");
        assert!(!answer.headers.contains_key("access-control-allow-origin"));
        let explained = desk.get(&format!("/api/v1/problems/{code}"), "").await;
        assert_eq!(explained.json()["status"], status);
    }
    let large = format!("{{\"object\": {{\"a\": \"{}\"}}}}", "x".repeat(1 << 20));
    let answer = desk.send(Method::POST, "/api/v1/evaluate", &admin, &json, &large).await;
    assert_eq!((answer.status.as_u16(), answer.problem().as_str()), (413, "too-large"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_lead_through_a_list_once_and_tags_spare_the_body() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    desk.store.record_observations(&[observed("a", "pod", 25, Timestamp::now())]).await.unwrap();
    let (mut path, mut seen) = ("/api/v1/findings?limit=10&state=open".to_owned(), Vec::new());
    loop {
        let answer = desk.get(&path, &admin).await;
        assert_eq!(answer.status, StatusCode::OK, "{answer:?}");
        seen.extend(answer.items().iter().map(|item| item["id"].as_str().unwrap().to_owned()));
        let Some(link) = answer.headers.get("link") else { break };
        let (target, relation) = link.to_str().unwrap().split_once(">; ").unwrap();
        assert_eq!(relation, "rel=\"next\"");
        path = target.trim_start_matches('<').to_owned();
    }
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), 25);
    let one = format!("/api/v1/findings/{}", seen[0]);
    let tag = desk.get(&one, &admin).await.headers["etag"].to_str().unwrap().to_owned();
    let again = desk.send(Method::GET, &one, &admin, &[("if-none-match", &tag)], "").await;
    assert_eq!((again.status, again.text.as_str()), (StatusCode::NOT_MODIFIED, ""));
    let found = desk.get("/api/v1/findings?text=CONTAINER%207", &admin).await.items();
    assert_eq!(found.len(), 1);
    assert_eq!(desk.get("/api/v1/findings?text=%25", &admin).await.items().len(), 0, "wildcards are literal");
    let fixes = desk.get("/api/v1/findings/fixes", &admin).await.items();
    assert_eq!((fixes.len(), &fixes[0]["findings"]), (20, &json!(2)));
    let counts = desk.get("/api/v1/findings/counts?by=severity", &admin).await.items();
    assert_eq!((counts.len(), &counts[0]["key"], &counts[0]["total"]), (5, &json!("critical"), &json!(5)));
    let resource = desk.get("/api/v1/resources", &admin).await.items()[0]["id"].as_str().unwrap().to_owned();
    let detail = desk.get(&format!("/api/v1/resources/{resource}"), &admin).await.json();
    assert_eq!(detail["findings"].as_array().unwrap().len(), 25);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_route_writes_what_controllers_remember() {
    const KEY: &str = "generate";
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let memory = json!({"triggers": ["a"]});
    desk.store.put_state(KEY, &memory, Timestamp::now()).await.unwrap();
    let document = desk.get("/api/v1/openapi.json", "").await.json();
    let json = [("content-type", "application/json")];
    let mut tried = 0;
    for (template, item) in document["paths"].as_object().unwrap() {
        let path: String = template.split('/').fold(String::new(), |path, part| match part {
            "" => path,
            variable if variable.starts_with('{') => format!("{path}/{KEY}"),
            fixed => format!("{path}/{fixed}"),
        });
        for method in item.as_object().unwrap().keys().filter(|method| *method != "get") {
            let method: Method = method.to_uppercase().parse().unwrap();
            desk.send(method, &path, &admin, &json, "{\"value\": {}}").await;
            tried += 1;
        }
    }
    assert!(tried > 20, "{tried} operations change something");
    for method in [Method::GET, Method::PUT, Method::DELETE] {
        let answer = desk.send(method, &format!("/api/v1/settings/{KEY}"), &admin, &json, "{}").await;
        assert_eq!(answer.problem(), "not-found");
    }
    assert_eq!(desk.store.state(KEY).await.unwrap(), Some(memory));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_is_judged_and_an_approved_exception_changes_the_ruleset() {
    let desk = Desk::open().await;
    let (admin, approver) = (desk.admin().await, desk.token("approver", Role::Approver, None).await);
    let pod = json!({"object": {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b"}}});
    let judged = desk.post("/api/v1/evaluate", &admin, &pod).await;
    assert_eq!((judged.status, &judged.json()["allowed"]), (StatusCode::OK, &json!(false)), "{judged:?}");
    assert_eq!(judged.json()["findings"][0]["rule"], "team");
    let asked = json!({
        "selector": {"policies": ["labels"], "namespaces": ["b"]},
        "reason": "until the move", "owner": "shop", "team": "a",
        "expires_at": (Timestamp::now() + SignedDuration::from_hours(48)).to_string(),
    });
    let made = desk.post("/api/v1/exceptions", &admin, &asked).await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let place = made.headers["location"].to_str().unwrap().to_owned();
    let own = desk.post(&format!("{place}/approve"), &admin, &json!({})).await;
    assert_eq!(own.problem(), "four-eyes");
    let approved = desk.post(&format!("{place}/approve"), &approver, &json!({"note": "once"})).await;
    assert_eq!((approved.status, &approved.json()["state"]), (StatusCode::OK, &json!("approved")), "{approved:?}");
    let allowed = async || desk.post("/api/v1/evaluate", &admin, &pod).await.json()["allowed"] == json!(true);
    until("the waiver is in force", allowed).await;
    assert_eq!(desk.post(&format!("{place}/approve"), &approver, &json!({})).await.problem(), "conflict");
    assert_eq!(desk.post(&format!("{place}/revoke"), &approver, &json!({})).await.status, StatusCode::OK);
    until("the waiver is gone", async || !allowed().await).await;
    assert_eq!(desk.get("/api/v1/status", &admin).await.json()["ruleset"]["policies"], 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_evaluation_says_what_the_policies_and_a_scan_say() {
    use palisade_model::{Resource, Value, Verdict};
    use palisade_policy::{AdmissionRequest, Environment, Offline, Operation, Phase, Request, Variables};
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let (ruleset, variables) = (desk.server.context().ruleset(), Variables::default());
    let environment = Environment::new(Timestamp::now(), &Offline, &variables);
    let mut allowed = Vec::new();
    for labels in [json!({}), json!({"team": "shop"}), json!({"team": 1})] {
        let pod =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a", "namespace": "b", "labels": labels}});
        let object: Value = serde_json::from_value(pod.clone()).unwrap();
        let answer = desk.post("/api/v1/evaluate", &admin, &json!({"object": pod})).await.json();
        let request = Request::admission(AdmissionRequest::of(&Resource::in_memory(object), Operation::Create));
        let scanned = ruleset.scan(&request, &environment);
        assert_eq!(answer["allowed"], scanned.allowed, "{labels}: {answer}");
        let told = |finding: &palisade_model::Finding| {
            json!([
                finding.policy.to_string(),
                finding.rule,
                finding.verdict.to_string(),
                finding.message,
                finding.fingerprint
            ])
        };
        let said = |finding: &serde_json::Value| {
            json!(["policy", "rule", "verdict", "message", "fingerprint"].map(|key| &finding[key]))
        };
        let answered: Vec<_> = answer["findings"].as_array().unwrap().iter().map(said).collect();
        assert_eq!(answered, scanned.findings.iter().map(told).collect::<Vec<_>>(), "{labels}");
        let judged = ruleset.answers(Phase::Validate, &request, &environment);
        let fails = judged.iter().any(|answer| answer.outcome.verdict == Verdict::Fail);
        assert_eq!(answer["allowed"], !fails, "{labels}");
        allowed.push(!fails);
    }
    assert_eq!(allowed, [false, true, false]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_browser_finds_a_page_without_scripts_at_the_root() {
    let desk = Desk::open().await;
    let page = desk.get("/", "").await;
    assert_eq!(
        (page.status, &page.headers["content-type"]),
        (StatusCode::OK, &"text/html; charset=utf-8".parse().unwrap())
    );
    let policy = page.headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'sha256-") && !policy.contains("script"), "{policy}");
    assert!(!page.text.contains("<script") && page.text.starts_with("<!doctype html>"));
    for link in ["/api/v1/status", "/api/v1/findings", "/api/v1/openapi.json", "/readyz", "/metrics"] {
        assert!(page.text.contains(&format!("href=\"{link}\"")), "{link}");
        assert_ne!(desk.get(link, "").await.status, StatusCode::NOT_FOUND, "{link}");
    }
    assert_eq!(desk.send(Method::POST, "/", "", &[], "").await.problem(), "method-not-allowed");
    let document = desk.get("/api/v1/openapi.json", "").await.json();
    assert_eq!(document["components"]["securitySchemes"]["session"]["name"], "palisade-session");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_is_made_fetched_and_removed() {
    let desk = Desk::open().await;
    let admin = desk.admin().await;
    let made = desk.send(Method::POST, "/api/v1/backups", &admin, &[], "").await;
    assert_eq!(made.status, StatusCode::CREATED, "{made:?}");
    let place = made.headers["location"].to_str().unwrap().to_owned();
    let request = http::Request::get(format!("{}{place}", desk.url)).header("authorization", format!("Bearer {admin}"));
    let fetched = desk.raw(request.body(String::new().into()).unwrap()).await;
    assert_eq!(fetched.len() as u64, made.json()["bytes"].as_u64().unwrap());
    assert_eq!(desk.send(Method::DELETE, &place, &admin, &[], "").await.status, StatusCode::NO_CONTENT);
    assert_eq!(desk.get(&place, &admin).await.problem(), "not-found");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_page_is_up_to_date() {
    let desk = Desk::open().await;
    let document = desk.get("/api/v1/openapi.json", "").await.text + "\n";
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/reference/openapi.json");
    if std::env::var_os("PALISADE_BLESS").is_some() {
        std::fs::write(&file, &document).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == document, "docs/reference/openapi.json is out of date: run `cargo x gen`");
    let document: serde_json::Value = serde_json::from_str(&document).unwrap();
    assert!(document["openapi"].as_str().unwrap().starts_with("3.1"));
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let open = operation["security"].as_array().is_some_and(Vec::is_empty);
            let named = operation["x-palisade-permission"].is_string();
            assert!(open != named, "{method} {path} has neither a permission nor is it open");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_reference_page_of_capabilities_is_up_to_date() {
    let desk = Desk::open().await;
    let page = super::capabilities::page(desk.server.brought());
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../docs/reference/capabilities.md");
    if std::env::var_os("PALISADE_BLESS").is_some() {
        std::fs::write(&file, &page).unwrap();
    }
    let written = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(written == page, "docs/reference/capabilities.md is out of date: run `cargo x gen`");
}

/// Waits until something holds, for ten seconds at most.
pub(super) async fn until(what: &str, mut holds: impl AsyncFnMut() -> bool) {
    let end = tokio::time::Instant::now() + std::time::Duration::from_secs(10);
    while !holds().await {
        assert!(tokio::time::Instant::now() < end, "in vain: {what}");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}
