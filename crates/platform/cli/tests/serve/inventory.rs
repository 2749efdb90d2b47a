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
