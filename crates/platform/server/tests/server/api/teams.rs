//! Teams are kept apart: a developer of one sees nothing of another through any route.

use http::StatusCode;
use jiff::{SignedDuration, Timestamp};
use palisade_store::{Catalogue, Role, Service, Team};
use serde_json::{Value, json};

use super::desk::{Desk, decided, observed};

async fn two_teams() -> Desk {
    let desk = Desk::open().await;
    let now = Timestamp::now();
    for team in ["red", "blue"] {
        desk.store.record_observations(&[observed(team, "pod", 3, now)]).await.unwrap();
        desk.store.append_decisions(&[decided(team, "pod", now)]).await.unwrap();
    }
    let catalogue = Catalogue {
        teams: ["red", "blue"]
            .map(|name| Team {
                name: name.into(),
                title: format!("Team {name}"),
                contact: String::new(),
                source: "test".into(),
            })
            .into(),
        services: ["red", "blue"]
            .map(|team| Service {
                name: format!("service-{team}"),
                team: team.into(),
                title: String::new(),
                system: String::new(),
                lifecycle: String::new(),
                selector: Value::Null,
                source: "test".into(),
            })
            .into(),
        entities: Vec::new(),
    };
    desk.store.replace_catalogue("test", &catalogue, now).await.unwrap();
    desk
}

fn exception(team: &str, namespaces: &[&str]) -> Value {
    let expires = Timestamp::now() + SignedDuration::from_hours(48);
    json!({
        "selector": {"policies": ["labels"], "namespaces": namespaces},
        "reason": format!("because of {team}"), "owner": team, "team": team, "expires_at": expires.to_string(),
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_another_team_is_shown_by_any_list_count_or_address() {
    let desk = two_teams().await;
    let (admin, red) = (desk.admin().await, desk.token("red", Role::Developer, Some("red")).await);
    for team in ["red", "blue"] {
        assert_eq!(desk.post("/api/v1/exceptions", &admin, &exception(team, &[])).await.status, StatusCode::CREATED);
    }
    let lists = [
        "/api/v1/findings",
        "/api/v1/findings?state=all&order=severity",
        "/api/v1/findings?text=blue",
        "/api/v1/findings?team=blue",
        "/api/v1/findings?namespace=ns-blue",
        "/api/v1/findings/fixes",
        "/api/v1/findings/counts?by=team",
        "/api/v1/findings/counts?by=service",
        "/api/v1/findings/counts?by=severity&team=blue",
        "/api/v1/findings/counts?by=namespace",
        "/api/v1/resources",
        "/api/v1/resources?team=blue",
        "/api/v1/resources?name=pod",
        "/api/v1/decisions",
        "/api/v1/decisions?username=blue-developer",
        "/api/v1/decisions/counts?by=team",
        "/api/v1/decisions/counts?by=namespace",
        "/api/v1/exceptions",
        "/api/v1/exceptions?team=blue",
        "/api/v1/teams",
        "/api/v1/services",
        "/api/v1/services?team=blue",
    ];
    for path in lists {
        let own = desk.get(path, &red).await;
        assert_eq!(own.status, StatusCode::OK, "{path}: {own:?}");
        assert!(!own.text.contains("blue"), "{path} tells of the other team: {}", own.text);
        let all = desk.get(path, &admin).await;
        assert!(all.text.contains("blue") || path.contains("severity&"), "{path} would have shown it: {}", all.text);
    }
    let total: u64 = count(&desk, "/api/v1/findings/counts?by=kind", &red).await;
    assert_eq!((total, count(&desk, "/api/v1/findings/counts?by=kind", &admin).await), (3, 6));
    // Addresses that the administrator knows are like ones that do not exist.
    for list in ["findings", "resources", "decisions", "exceptions"] {
        let items = desk.get(&format!("/api/v1/{list}"), &admin).await.items();
        let of_blue = items.iter().find(|item| item["team"] == "blue").unwrap();
        let path = format!("/api/v1/{list}/{}", of_blue["id"].as_str().unwrap());
        assert_eq!(desk.get(&path, &admin).await.status, StatusCode::OK);
        assert_eq!(desk.get(&path, &red).await.problem(), "not-found", "{path}");
    }
    for path in ["/api/v1/teams/blue", "/api/v1/services/service-blue"] {
        assert_eq!(desk.get(path, &red).await.problem(), "not-found");
    }
    for path in ["/api/v1/audit", "/api/v1/catalogues", "/api/v1/backups"] {
        assert_eq!(desk.get(path, &red).await.problem(), "forbidden");
    }
    // A cursor that the administrator got leads to no more than the developer may see.
    let next = desk.get("/api/v1/findings?limit=1", &admin).await.json()["next"].as_str().unwrap().to_owned();
    let page = desk.get(&format!("/api/v1/findings?after={next}"), &red).await;
    assert!(page.status == StatusCode::OK && !page.text.contains("blue"));
}

async fn count(desk: &Desk, path: &str, token: &str) -> u64 {
    desk.get(path, token).await.items().iter().map(|group| group["total"].as_u64().unwrap()).sum()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_approver_of_a_team_excepts_its_own_objects_only() {
    let desk = two_teams().await;
    let developer = desk.token("developer", Role::Developer, Some("red")).await;
    let approver = desk.token("approver", Role::Approver, Some("red")).await;
    assert_eq!(desk.post("/api/v1/exceptions", &developer, &exception("blue", &[])).await.problem(), "forbidden");
    for namespaces in [&[][..], &["*"], &["ns-*"], &["ns-red", "ns-blue"]] {
        let made = desk.post("/api/v1/exceptions", &developer, &exception("red", namespaces)).await;
        let place = made.headers["location"].to_str().unwrap().to_owned();
        let refused = desk.post(&format!("{place}/approve"), &approver, &json!({})).await;
        assert_eq!(refused.problem(), "forbidden", "{namespaces:?}");
    }
    let made = desk.post("/api/v1/exceptions", &developer, &exception("red", &["ns-red"])).await;
    let place = made.headers["location"].to_str().unwrap().to_owned();
    let approved = desk.post(&format!("{place}/approve"), &approver, &json!({})).await;
    assert_eq!(approved.json()["state"], "approved", "{approved:?}");
}
