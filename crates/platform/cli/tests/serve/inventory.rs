//! The example company on a server without a cluster.

use std::path::Path;
use std::time::Duration;

use palisade_testkit::wait_for;

use crate::server::{Folder, Setup};

#[test]
fn the_example_company_has_findings_with_teams_and_services() {
    let shop = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../examples/shop").canonicalize().unwrap();
    let folder = Folder::new("inventory");
    let config = format!(
        "[check]\npolicies = ['{0}/policies']\n[owners]\ncatalogs = ['{0}/catalog-info.yaml']\n[kubernetes]\nenabled = false\n",
        shop.display()
    );
    let manifests = shop.join("deploy").display().to_string();
    let setup = Setup::new(folder.path(), "server", &config, &["--inventory", &manifests]);
    let mut server = setup.start();
    let client = server.administrator();
    let finding = |path: &str| {
        wait_for(Duration::from_mins(1), || client.get(setup.api, path)["items"].as_array()?.first().cloned())
    };
    let host_network = finding("/api/v1/findings?team=orders&service=payments");
    assert_eq!(host_network["resource"]["name"], "payments", "{host_network}");
    assert!(finding("/api/v1/findings?team=storefront&service=search")["message"].is_string());
    let resources = client.get(setup.api, "/api/v1/resources?limit=200");
    let unowned: Vec<_> = resources["items"].as_array().unwrap().iter().filter(|r| r["team"] == "unowned").collect();
    assert!(unowned.iter().all(|resource| resource["resource"]["namespace"] == ""), "{unowned:?}");
    assert_eq!(server.stop(), Some(0), "{}", server.log());
}

#[test]
fn documents_of_one_file_have_findings_of_their_own() {
    let folder = Folder::new("parts");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let policy = "package main\n\ndeny contains {\"msg\": \"a low port\", \"port\": input.port} if input.port < 1024\n";
    let policies = file("ports.rego", policy);
    let pod = "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nport: ";
    let stack = file("stack.yaml", &format!("port: 80\n---\nport: 22\n---\n{pod}443\n---\n{pod}1\n"));
    let config = format!("[check]\npolicies = ['{policies}']\n[kubernetes]\nenabled = false\n");
    let setup = Setup::new(folder.path(), "server", &config, &["--inventory", &stack]);
    let mut server = setup.start();
    let client = server.administrator();
    let findings = wait_for(Duration::from_mins(1), || {
        let found = client.get(setup.api, "/api/v1/findings?limit=200")["items"].as_array()?.clone();
        (found.len() == 4).then_some(found)
    });
    let said = |found: &serde_json::Value| {
        [&found["resource"]["kind"], &found["resource"]["part"], &found["facts"]["port"]]
            .map(|text| text.as_str().unwrap().to_owned())
    };
    let mut said: Vec<_> = findings.iter().map(said).collect();
    said.sort();
    assert_eq!(said, [["", "", "80"], ["", "#2", "22"], ["Pod", "", "443"], ["Pod", "#2", "1"]]);
    assert_eq!(server.stop(), Some(0), "{}", server.log());
}
