//! Owners come in through the API: a catalogue is put, counted, listed, in force, and forgotten.

use http::{Method, StatusCode};
use palisade_store::Role;
use serde_json::json;

use super::desk::{Answer, Desk};

const CATALOGUE: &str = "\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {name: checkout}
spec: {type: service, lifecycle: production, owner: team-shop}
---
apiVersion: backstage.io/v1alpha1
kind: Group
metadata: {name: team-shop}
spec: {type: team, profile: {displayName: Shop}, children: []}
---
apiVersion: backstage.io/v1alpha1
kind: Componant
metadata: {name: typo}
";

async fn put(desk: &Desk, token: &str, source: &str, text: &str) -> Answer {
    let yaml = [("content-type", "application/yaml")];
    desk.send(Method::PUT, &format!("/api/v1/catalogues/{source}"), token, &yaml, text).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_catalogue_is_put_replaced_listed_and_forgotten() {
    let desk = Desk::open().await;
    let (admin, viewer) = (desk.admin().await, desk.token("viewer", Role::Viewer, None).await);
    let made = put(&desk, &admin, "shop", CATALOGUE).await;
    assert_eq!(made.status, StatusCode::OK, "{made:?}");
    let said = made.json();
    assert_eq!((&said["teams"], &said["services"], &said["diagnostics_total"]), (&json!(1), &json!(1), &json!(1)));
    let wrong = &said["diagnostics"][0];
    assert_eq!((&wrong["code"], &wrong["level"]), (&json!("PAL-S0001"), &json!("error")));
    assert_eq!(wrong["place"], "shop:12:7", "{wrong}");
    assert!(wrong["message"].as_str().unwrap().contains("`Componant`"), "{wrong}");
    assert_eq!(desk.get("/api/v1/services/checkout", &viewer).await.json()["team"], "team-shop");
    let owner = desk.server.context().owners.owner("any", "checkout", &palisade_model::Value::Null);
    assert_eq!(owner.to_string(), "team-shop/checkout", "it is in force at once");
    let listed = desk.get("/api/v1/catalogues", &admin).await.items();
    assert_eq!(listed, [json!({"source": "shop", "teams": 1, "services": 1, "documents": 2})]);

    let broken = put(&desk, &admin, "shop", "a: [").await;
    assert_eq!((broken.status.as_u16(), broken.problem().as_str()), (422, "unprocessable"));
    assert!(broken.text.contains("shop:1:"), "the place is told: {}", broken.text);
    assert_eq!(desk.get("/api/v1/catalogues", &admin).await.items(), listed, "nothing was replaced");
    assert_eq!(put(&desk, &admin, "other", CATALOGUE).await.problem(), "conflict", "another source has the name");
    assert_eq!(put(&desk, &admin, "file:a", CATALOGUE).await.problem(), "not-found", "files have names of their own");
    assert_eq!(put(&desk, &viewer, "shop", CATALOGUE).await.problem(), "forbidden");
    assert_eq!(put(&desk, &admin, "shop", &"#".repeat(2 << 20)).await.problem(), "too-large");
    let json = [("content-type", "application/json")];
    let typed = desk.send(Method::PUT, "/api/v1/catalogues/shop", &admin, &json, CATALOGUE).await;
    assert_eq!(typed.problem(), "unsupported-media-type");

    let gone = desk.send(Method::DELETE, "/api/v1/catalogues/shop", &admin, &[], "").await;
    assert_eq!(gone.status, StatusCode::NO_CONTENT, "{gone:?}");
    assert_eq!(desk.get("/api/v1/catalogues", &admin).await.items(), [json!(null); 0]);
    assert_eq!(desk.get("/api/v1/services/checkout", &viewer).await.problem(), "not-found");
    let again = desk.send(Method::DELETE, "/api/v1/catalogues/shop", &admin, &[], "").await;
    assert_eq!(again.problem(), "not-found");
    let actions = desk.get("/api/v1/audit?object=shop", &admin).await.items();
    assert_eq!(actions.len(), 2, "{actions:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_of_the_configuration_is_listed_and_can_be_forgotten() {
    let file = std::env::temp_dir().join(format!("palisade-catalogue-{}.yaml", std::process::id()));
    std::fs::write(&file, CATALOGUE).unwrap();
    let desk = Desk::open_with(|config| config.owners.catalogs = vec![file.clone()]).await;
    let admin = desk.admin().await;
    let source = format!("file:{}", file.display());
    let known = async || desk.get("/api/v1/catalogues", &admin).await.items();
    super::contract::until("the file is read", async || !known().await.is_empty()).await;
    assert_eq!(known().await[0]["source"], json!(source));
    let path = format!("/api/v1/catalogues/{}", source.replace(':', "%3A").replace('/', "%2F"));
    assert_eq!(desk.send(Method::DELETE, &path, &admin, &[], "").await.status, StatusCode::NO_CONTENT);
    assert!(known().await.is_empty());
    std::fs::remove_file(&file).unwrap();
}
