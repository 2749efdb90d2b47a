//! Agents: joining, renewing, revocation, certificates of others.

use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use super::*;

const ENROL: &str = "/api/v1/agents/enrolments";
const RENEW: &str = "/api/v1/agents/renewals";

async fn invite(world: &World, cookie: &str) -> String {
    let body = Some(json!({"name": "node-1", "team": "*"}));
    let answer = world.call(Method::POST, "/api/v1/agents/invitations", &own(cookie), body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    answer.json()["token"].as_str().unwrap().to_owned()
}

async fn enrol(world: &World, token: &str, key: &KeyPair) -> Answer {
    let body = json!({"token": token, "public_key": key.public_key_pem()});
    world.call(Method::POST, ENROL, &[], Some(body)).await
}

fn certificate(answer: &Answer) -> CertificateDer<'static> {
    assert_eq!(answer.status, StatusCode::CREATED, "{answer:?}");
    CertificateDer::from_pem_slice(answer.json()["certificate"].as_str().unwrap().as_bytes()).unwrap()
}

async fn renew(world: &World, held: &CertificateDer<'static>, key: &KeyPair) -> Answer {
    let body = json!({"public_key": key.public_key_pem()});
    world.send(certified(request(Method::POST, RENEW, &[], Some(body)), held)).await
}

#[tokio::test]
async fn an_agent_joins_once_renews_and_is_put_out() {
    let world = World::new().await;
    let (_, operator) = world.person("operator", &[(Role::Operator, None)]).await;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let token = invite(&world, &operator).await;
    let first = certificate(&enrol(&world, &token, &key).await);
    assert_eq!(enrol(&world, &token, &key).await.status, StatusCode::UNAUTHORIZED, "a join token is for one agent");

    world.pass(SignedDuration::from_hours(16));
    let second = certificate(&renew(&world, &first, &key).await);
    world.pass(SignedDuration::from_hours(9));
    assert_eq!(renew(&world, &first, &key).await.status, StatusCode::UNAUTHORIZED, "the first has ended");
    let third = certificate(&renew(&world, &second, &key).await);

    let (_, operator) = world.person("operator", &[]).await;
    let listed = world.get("/api/v1/agents", &own(&operator)).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 3, "{listed}");
    let out = world.call(Method::DELETE, "/api/v1/agents/node-1", &own(&operator), None).await;
    assert_eq!(out.status, StatusCode::NO_CONTENT);
    for certificate in [&second, &third] {
        assert_eq!(renew(&world, certificate, &key).await.status, StatusCode::UNAUTHORIZED, "revoked");
    }
    let notes = ["agent.invite", "agent.enrol", "agent.renew", "agent.revoke"];
    let mut counts = Vec::new();
    for action in notes {
        counts.push(world.audit(action).await.iter().filter(|entry| entry.allowed).count());
    }
    assert_eq!(counts, [1, 1, 2, 1]);
}

#[tokio::test]
async fn an_agent_reaches_what_is_for_agents_only_and_proves_itself_by_its_certificate_only() {
    let world = World::new().await;
    let (_, admin) = world.person("admin", &[(Role::Admin, None)]).await;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let held = certificate(&enrol(&world, &invite(&world, &admin).await, &key).await);
    let token = bearer(&world.token(&admin, "admin", "*").await);
    for path in ["/api/v1/session", "/api/v1/accounts", "/api/v1/agents"] {
        let as_agent = certified(request(Method::GET, path, &[("authorization", &token)], None), &held);
        assert_eq!(world.send(as_agent).await.status, StatusCode::FORBIDDEN, "{path}");
    }
    let body = Some(json!({"public_key": key.public_key_pem()}));
    let as_admin = world.call(Method::POST, RENEW, &[("authorization", &token)], body).await;
    assert_eq!(as_admin.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn wrong_tokens_names_and_keys_are_refused() {
    let world = World::new().await;
    let (_, operator) = world.person("operator", &[(Role::Operator, None)]).await;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let late = invite(&world, &operator).await;
    world.pass(SignedDuration::from_mins(61));
    let api_token = world.token(&operator, "operator", "*").await;
    for token in [late.as_str(), api_token.as_str(), "palj_", "", &late[..late.len() - 1]] {
        assert_eq!(enrol(&world, token, &key).await.status, StatusCode::UNAUTHORIZED, "{token}");
    }
    for name in ["", "-x", "x/y", "X", "x y", &"x".repeat(64), "ünode"] {
        let body = Some(json!({"name": name, "team": "*"}));
        let answer = world.call(Method::POST, "/api/v1/agents/invitations", &own(&operator), body).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name}");
    }
    let other = KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap();
    let token = invite(&world, &operator).await;
    assert_eq!(enrol(&world, &token, &other).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(enrol(&world, &token, &key).await.status, StatusCode::CREATED, "a wrong key does not use up the token");
}

/// Whether a client with `chain` and `key` completes a handshake with the agents' listener.
async fn connects(world: &World, own: Option<(CertificateDer<'static>, &KeyPair)>) -> bool {
    let server_key = KeyPair::generate().unwrap();
    let server = CertificateParams::new(["localhost".to_owned()]).unwrap().self_signed(&server_key).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let private = |key: &KeyPair| PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let server_config = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_client_cert_verifier(world.identity.agent_verifier().unwrap())
        .with_single_cert(vec![server.der().clone()], private(&server_key))
        .unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(server.der().clone()).unwrap();
    let client_config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots);
    let client_config = match own {
        Some((certificate, key)) => client_config.with_client_auth_cert(vec![certificate], private(key)).unwrap(),
        None => client_config.with_no_client_auth(),
    };
    let (near, far) = tokio::io::duplex(1 << 16);
    let connector = tokio_rustls::TlsConnector::from(Arc::new(client_config));
    let client = connector.connect(ServerName::try_from("localhost").unwrap(), near);
    let server = tokio_rustls::TlsAcceptor::from(Arc::new(server_config)).accept(far);
    let (_client, server) = tokio::join!(client, server);
    server.is_ok()
}

#[tokio::test]
async fn the_listener_of_agents_takes_certificates_of_this_authority_only() {
    let (world, stranger) = (World::new().await, World::new().await);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let mut certificates = Vec::new();
    for world in [&world, &stranger] {
        let (_, operator) = world.person("operator", &[(Role::Operator, None)]).await;
        certificates.push(certificate(&enrol(world, &invite(world, &operator).await, &key).await));
    }
    let own_signed = CertificateParams::new(["node-1".to_owned()]).unwrap().self_signed(&key).unwrap();
    assert!(connects(&world, Some((certificates[0].clone(), &key))).await);
    assert!(!connects(&world, None).await);
    assert!(!connects(&world, Some((certificates[1].clone(), &key))).await, "signed by another authority");
    assert!(!connects(&world, Some((own_signed.der().clone(), &key))).await, "signed by itself");

    // Even past the handshake, a certificate that the store does not know is nobody's.
    assert_eq!(renew(&world, &certificates[1], &key).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_authority_survives_a_restart_and_its_key_is_private() {
    let world = World::new().await;
    let (_, operator) = world.person("operator", &[(Role::Operator, None)]).await;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let held = certificate(&enrol(&world, &invite(&world, &operator).await, &key).await);
    let reopened = Identity::open(
        &IdentityConfig::default(),
        &Url::parse("https://palisade.example.com").unwrap(),
        &world.folder,
        (world.store.clone(), Clock::system()),
        permissions(),
    );
    let again = World {
        identity: reopened.unwrap(),
        store: world.store.clone(),
        router: Router::new(),
        now: world.now.clone(),
        folder: PathBuf::from("/nonexistent"),
    };
    assert!(connects(&again, Some((held, &key))).await);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(world.folder.join("agent-authority.key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
    }
}
