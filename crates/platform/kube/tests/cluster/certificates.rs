//! Replicas share one certificate through a Secret.

use jiff::{SignedDuration, Timestamp};
use palisade_kube::Certificates;
use palisade_kube::certificates::Keeping;

use crate::world::{config, connect, shared};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_agree_on_one_certificate_and_mend_it() {
    let Some(cluster) = shared() else { return };
    cluster.apply("{apiVersion: v1, kind: Namespace, metadata: {name: certified}}");
    let connection = connect(&config(cluster.kubeconfig())).await;
    let now = Timestamp::now();
    let open = || {
        let keeping =
            Keeping::Secret { connection: connection.clone(), namespace: "certified".into(), name: "palisade".into() };
        Certificates::open(keeping, vec!["palisade.certified.svc".into()], now)
    };
    let (one, two, three) = tokio::join!(open(), open(), open());
    let (one, two, three) = (one.unwrap(), two.unwrap(), three.unwrap());
    let bundle = |of: &Certificates| of.bundles().borrow().to_string();
    assert_eq!(bundle(&one), bundle(&two), "whoever was later took over what was there");
    assert_eq!(bundle(&one), bundle(&three));

    cluster
        .kubectl(
            &["patch", "secret", "palisade", "-n", "certified", "-p", r#"{"stringData":{"certificates.json":"?"}}"#],
            "",
        )
        .ok();
    assert!(!two.refresh(now).await.unwrap(), "damage is mended with what is held");
    cluster.kubectl(&["delete", "secret", "palisade", "-n", "certified"], "").ok();
    one.refresh(now).await.unwrap();
    assert_eq!(bundle(&open().await.unwrap()), bundle(&one), "so is a loss");

    let later = now + SignedDuration::from_hours(24 * 300);
    assert!(one.refresh(later).await.unwrap());
    assert_eq!(bundle(&one).matches("BEGIN CERTIFICATE").count(), 2, "the old authority is still trusted");
    assert!(two.refresh(later).await.unwrap());
    assert_eq!(bundle(&one), bundle(&two));
}
