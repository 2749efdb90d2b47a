//! The servers themselves: that they start in time, serve, survive what tests do to them, and go away.

#![allow(clippy::disallowed_methods, reason = "tests take the time as it is")]

use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use palisade_testkit::{Cluster, OidcProvider, Postgres, wait_for};

fn report(what: &str, since: Instant) {
    // Not `eprintln!`, which the test harness captures.
    let mut stderr = std::io::stderr();
    let _ = writeln!(stderr, "{what}: {:.1} s", since.elapsed().as_secs_f32());
}

#[test]
fn a_cluster_starts_serves_restarts_and_ends() {
    let begun = Instant::now();
    let Ok(cluster) = Cluster::start() else { return };
    report("cluster ready", begun);

    let names = cluster.kubectl(&["get", "namespaces", "-o", "name"], "").ok();
    assert!(names.contains("namespace/default") && names.contains("namespace/kube-system"), "{names}");
    let groups = cluster.kubectl(&["api-versions"], "").ok();
    assert!(groups.contains("admissionregistration.k8s.io/v1beta1"), "{groups}");

    cluster.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: kept, namespace: default}}");
    let begun = Instant::now();
    cluster.restart();
    report("API server restarted", begun);
    let kept = cluster.kubectl(&["get", "configmap", "kept", "-o", "json"], "").json();
    assert_eq!(kept["metadata"]["name"], "kept");

    let (url, folder) = (cluster.url().to_owned(), cluster.folder().to_owned());
    let begun = Instant::now();
    drop(cluster);
    report("cluster ended", begun);
    assert!(TcpStream::connect(url.trim_start_matches("https://")).is_err());
    assert!(!folder.exists());
}

#[test]
fn users_and_accounts_may_do_what_their_roles_say() {
    let Ok(cluster) = Cluster::start() else { return };
    let reader = cluster.user_kubeconfig("erin", &["readers", "others"]);
    let refused = cluster.kubectl_as(&reader, &["get", "namespaces"], "").refused();
    assert!(refused.contains("User \"erin\" cannot list resource \"namespaces\""), "{refused}");

    cluster.apply("{apiVersion: v1, kind: ServiceAccount, metadata: {name: robot, namespace: default}}");
    for create in [
        "clusterrole reader --verb=get,list --resource=namespaces,configmaps",
        "clusterrolebinding others --clusterrole=reader --group=others",
        "clusterrolebinding robot --clusterrole=reader --serviceaccount=default:robot",
    ] {
        let words: Vec<&str> = ["create"].into_iter().chain(create.split(' ')).collect();
        cluster.kubectl(&words, "").ok();
    }
    let limit = Duration::from_secs(10);
    cluster.wait_for(limit, |cluster| cluster.kubectl_as(&reader, &["get", "namespaces"], "").success.then_some(()));
    let robot = cluster.service_account_kubeconfig("default", "robot");
    cluster.wait_for(limit, |cluster| cluster.kubectl_as(&robot, &["get", "configmaps"], "").success.then_some(()));
    let refused = cluster.kubectl_as(&robot, &["get", "secrets"], "").refused();
    assert!(refused.contains("system:serviceaccount:default:robot"), "{refused}");
}

#[test]
fn postgres_starts_stops_crashes_and_recovers() {
    let begun = Instant::now();
    let Ok(postgres) = Postgres::start() else { return };
    report("PostgreSQL ready", begun);
    let address = address(&postgres);
    let open = || TcpStream::connect(&address).is_ok();
    assert!(open());
    postgres.stop();
    assert!(!open());
    postgres.start_again();
    assert!(open());
    postgres.kill();
    assert!(!open());
    postgres.start_again();
    assert!(open());
}

#[test]
fn the_identity_provider_signs_people_in() {
    let begun = Instant::now();
    let Ok(provider) = OidcProvider::start() else { return };
    report("identity provider ready", begun);
    provider.allow_redirect("http://127.0.0.1:1/callback");
    let authorize = format!(
        "{}/auth?client_id={}&response_type=code&scope=openid+email+groups&state=s1&redirect_uri=http%3A%2F%2F127.0.0.1%3A1%2Fcallback\
         &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM&code_challenge_method=S256",
        provider.issuer(),
        provider.client_id()
    );
    let callback = provider.sign_in(&authorize, "alice");
    assert!(callback.starts_with("http://127.0.0.1:1/callback?code="), "{callback}");
    assert!(callback.contains("state=s1"), "{callback}");
}

#[test]
fn a_killed_test_leaves_no_server_behind() {
    let program = std::env::current_exe().unwrap();
    let arguments = ["--exact", "is_killed", "--ignored", "--nocapture"];
    let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let address = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("listening on ").map(str::to_owned));
    let open = |address: &str| TcpStream::connect(address).is_ok();
    let running = address.as_deref().is_some_and(open);
    child.kill().unwrap();
    child.wait().unwrap();
    let Some(address) = address else { return };
    assert!(running);
    wait_for(Duration::from_secs(10), || (!open(&address)).then_some(()));
}

#[test]
#[ignore = "run and killed by `a_killed_test_leaves_no_server_behind`"]
#[expect(clippy::print_stdout, reason = "the parent reads it")]
fn is_killed() {
    let Ok(postgres) = Postgres::start() else { return };
    println!("\nlistening on {}", address(&postgres));
    std::thread::sleep(Duration::from_mins(1));
}

fn address(postgres: &Postgres) -> String {
    let url = postgres.url();
    url.rsplit('@').next().unwrap_or_default().trim_end_matches("/postgres").to_owned()
}

#[test]
fn waiting_ends_with_the_first_value() {
    let mut calls = 0;
    let value = wait_for(Duration::from_secs(5), || {
        calls += 1;
        (calls == 3).then_some(calls)
    });
    assert_eq!(value, 3);
}
