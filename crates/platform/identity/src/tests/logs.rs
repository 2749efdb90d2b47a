//! Secrets appear neither in logs nor in the audit log.

use std::io;

use tracing_subscriber::fmt::MakeWriter;

use super::*;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Captured(Arc<Mutex<Vec<u8>>>);

impl io::Write for Captured {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Captured {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[tokio::test]
async fn secrets_are_in_no_log() {
    let captured = Captured::default();
    let subscriber =
        tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_writer(captured.clone()).finish();
    let _guard = tracing::subscriber::set_default(subscriber);

    let world = World::new().await;
    let mut out = Vec::new();
    world.identity.print_first_link(&mut out).await;
    let text = String::from_utf8(out).unwrap();
    let link = text.split("token=").nth(1).unwrap().trim().to_owned();
    let first = world.get(&format!("/auth/first?token={link}"), &[]).await;
    let cookie = first.cookie("session").unwrap();
    let token = world.token(&cookie, "admin", "*").await;
    let invitation = Some(json!({"name": "node-1", "team": "*"}));
    let invited = world.call(Method::POST, "/api/v1/agents/invitations", &own(&cookie), invitation).await.json();
    let join = invited["token"].as_str().unwrap().to_owned();
    let forged = Secret::generate(Kind::Token).unwrap();
    let guess = Secret::generate(Kind::Session).unwrap();
    world.get("/api/v1/session", &[("authorization", &bearer(&token))]).await;
    world.get("/api/v1/session", &[("authorization", &bearer(forged.expose()))]).await;
    world.get("/api/v1/session", &own(&format!("__Host-palisade-session={}", guess.expose()))).await;
    world.get(&format!("/auth/first?token={link}"), &[]).await;
    world.get(&format!("/auth/callback?code=the-secret-code&state={}", guess.expose()), &[]).await;
    let body = json!({"token": join, "public_key": "-----BEGIN PUBLIC KEY-----\nsecret\n-----END PUBLIC KEY-----"});
    world.call(Method::POST, "/api/v1/agents/enrolments", &[], Some(body)).await;
    world.call(Method::DELETE, "/api/v1/session", &own(&cookie), None).await;

    let key = std::fs::read_to_string(world.folder.join("agent-authority.key")).unwrap();
    let key = key.lines().nth(1).unwrap().to_owned();
    let session = cookie.split_once('=').unwrap().1.to_owned();
    let filter = AuditFilter::default();
    let audit = world.store.list_audit(&filter, &Page::first(Page::MAX_LIMIT)).await.unwrap();
    let audit = serde_json::to_string(&audit.items).unwrap();
    let logs = String::from_utf8(captured.0.lock().unwrap().clone()).unwrap();
    assert!(logs.contains("a request was refused"), "nothing was captured: {logs}");
    assert!(audit.contains("token.create") && audit.contains("it is unknown, expired or revoked"), "{audit}");
    let secrets: [&str; 8] = [&link, &token, &join, &session, &key, forged.expose(), guess.expose(), "the-secret-code"];
    for secret in secrets {
        for (place, text) in [("logs", &logs), ("audit", &audit)] {
            assert!(!text.contains(secret), "a secret is in the {place}");
            // Nor a part by which it could be completed.
            assert!(!text.contains(&secret[..secret.len().min(16)]), "a part of a secret is in the {place}");
        }
    }
}
