//! Every route, by what it was registered with.

use palisade_api::Access;

use super::*;
use crate::permission::READ;

/// Routes that anybody may call. A new one is a decision that is made here.
const OPEN: [(&str, &str); 4] =
    [("GET", "/auth/login"), ("GET", "/auth/callback"), ("GET", "/auth/first"), ("POST", "/api/v1/agents/enrolments")];

#[tokio::test]
async fn every_route_answers_401_without_and_403_with_too_low_a_role() {
    let world = World::new().await;
    let (_, viewer) = world.person("viewer", &[(Role::Viewer, Some("shop"))]).await;
    let (_, operator) = world.person("operator", &[(Role::Operator, None)]).await;
    let routes = routes(&world.identity, 1000, world.identity.endpoints());
    assert!(routes.registered().len() > 15, "{routes:?}");
    for route in routes.registered() {
        let path = route.path.replace(['{', '}'], "");
        let Access::Needs(permission) = route.access else {
            assert!(OPEN.contains(&(route.method.as_str(), &route.path)), "{route:?} is open and not listed");
            continue;
        };
        let without = world.call(route.method.clone(), &path, &[], None).await;
        assert_eq!(without.status, StatusCode::UNAUTHORIZED, "{route:?}");
        assert_eq!(without.headers[header::WWW_AUTHENTICATE], "Bearer realm=\"palisade\"");
        for (cookie, role) in [(&viewer, Role::Viewer), (&operator, Role::Operator)] {
            if permission.roles().contains(&role) {
                continue;
            }
            let low = world.call(route.method.clone(), &path, &own(cookie), None).await;
            assert_eq!((low.status, low.kind().as_str()), (StatusCode::FORBIDDEN, "forbidden"), "{route:?}");
        }
    }
}

#[tokio::test]
async fn a_handler_outside_of_registration_has_no_caller() {
    async fn handler(authorized: crate::Authorized) -> String {
        authorized.caller().name().to_owned()
    }
    let world = World::new().await;
    let (_, admin) = world.person("admin", &[(Role::Admin, None)]).await;
    let router: Router = Router::new().route("/stray", axum::routing::get(handler));
    let response = router.oneshot(request(Method::GET, "/stray", &own(&admin), None)).await.unwrap();
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn a_handler_sees_the_teams_of_its_permission() {
    async fn things(authorized: crate::Authorized) -> axum::Json<Value> {
        let things = [(Some("shop"), "till"), (Some("pay"), "safe"), (None, "stray")];
        let seen = things.iter().filter(|(team, _)| authorized.teams().contains(*team)).map(|(_, thing)| *thing);
        axum::Json(json!(seen.collect::<Vec<_>>()))
    }
    let world = World::new().await;
    let router = routes(&world.identity, 1000, vec![Endpoint::get(READ, "/things", things)]).split().0;
    let ask = |cookie: String| {
        let (router, request) = (router.clone(), request(Method::GET, "/api/v1/things", &own(&cookie), None));
        async move {
            let body = router.oneshot(request).await.unwrap().into_body().collect().await.unwrap().to_bytes();
            serde_json::from_slice::<Value>(&body).unwrap()
        }
    };
    let (_, shop) = world.person("shop", &[(Role::Developer, Some("shop"))]).await;
    let (_, both) = world.person("both", &[(Role::Viewer, Some("shop")), (Role::Approver, Some("pay"))]).await;
    let (_, all) = world.person("all", &[(Role::Viewer, None)]).await;
    assert_eq!(ask(shop).await, json!(["till"]));
    assert_eq!(ask(both).await, json!(["till", "safe"]));
    assert_eq!(ask(all).await, json!(["till", "safe", "stray"]));
}

#[tokio::test]
async fn callers_and_strangers_may_ask_so_often_only() {
    let world = World::new().await;
    let (_, viewer) = world.person("viewer", &[(Role::Viewer, None)]).await;
    let router = routes(&world.identity, 1, world.identity.endpoints()).split().0;
    let ask = async |path: &str, headers: &[(&str, &str)]| {
        let response = router.clone().oneshot(request(Method::GET, path, headers, None)).await.unwrap();
        (
            response.status(),
            response.headers().contains_key("ratelimit"),
            response.headers().contains_key("retry-after"),
        )
    };
    for (path, headers) in [("/api/v1/session", &own(&viewer)[..]), ("/auth/first?token=x", &[])] {
        let answers = [ask(path, headers).await, ask(path, headers).await, ask(path, headers).await];
        assert!(answers.iter().all(|answer| answer.1), "{path}: {answers:?}");
        assert_ne!(answers[1].0, StatusCode::TOO_MANY_REQUESTS, "{path}");
        assert_eq!((answers[2].0, answers[2].2), (StatusCode::TOO_MANY_REQUESTS, true), "{path}");
    }
}
