use jiff::SignedDuration;

use super::*;

const HOUR: SignedDuration = SignedDuration::from_hours(1);

fn at(hours: i64) -> Timestamp {
    Timestamp::from_second(1_750_000_000).unwrap() + HOUR * i32::try_from(hours).unwrap()
}

fn names() -> Vec<String> {
    vec!["palisade.palisade.svc".into(), "palisade.palisade.svc.cluster.local".into()]
}

fn renewed(found: &Material, hours: i64) -> Material {
    Material::renewed(Some(found.clone()), &names(), at(hours)).unwrap()
}

fn authorities(material: &Material) -> usize {
    material.bundle().matches("BEGIN CERTIFICATE").count()
}

#[test]
fn material_stays_until_it_is_due_and_survives_being_kept() {
    let first = Material::renewed(None, &names(), at(0)).unwrap();
    assert_eq!(authorities(&first), 1);
    let kept = Material::from_json(first.to_json().unwrap().as_bytes()).unwrap();
    assert_eq!(renewed(&kept, 24), first);
    let later = renewed(&first, 24 * 21);
    assert_ne!(later, first, "a third of thirty days is left");
    assert_eq!(later.bundle(), first.bundle(), "only the serving certificate is new");
}

#[test]
fn a_new_authority_is_trusted_before_it_signs_and_the_old_one_after() {
    let mut material = Material::renewed(None, &names(), at(0)).unwrap();
    let old = material.bundle();
    let mut hours = 0;
    while authorities(&material) == 1 {
        hours += 24;
        material = renewed(&material, hours);
        assert!(material.ends() > at(hours), "never served past its end");
    }
    assert!((240 * 24..250 * 24).contains(&hours), "a third of the year is left: {hours}");
    assert!(material.bundle().starts_with(&old));
    let trusted = material.clone();
    material = renewed(&material, hours + 1);
    assert_ne!(material.ends(), trusted.ends(), "the new authority signs");
    assert_eq!(material.bundle(), trusted.bundle(), "the old one is still trusted");
    material = renewed(&material, hours + 48);
    assert_eq!(authorities(&material), 1);
    assert!(!material.bundle().contains(&old));
}

#[test]
fn what_the_api_server_would_not_accept_is_made_anew_at_once() {
    let first = Material::renewed(None, &names(), at(0)).unwrap();
    let expired = renewed(&first, 24 * 400);
    assert!(expired.bundle() != first.bundle() && expired.ends() > at(24 * 400));
    let back = renewed(&first, -24 * 400);
    assert!(back.bundle() != first.bundle(), "the clock went back before it began");
    let damaged = first.to_json().unwrap().replacen("MI", "MX", 1);
    let mended = renewed(&Material::from_json(damaged.as_bytes()).unwrap(), 1);
    assert_ne!(mended.bundle(), first.bundle());
    let other = Material::renewed(Some(first.clone()), &["127.0.0.1".into()], at(1)).unwrap();
    assert_eq!(other.bundle(), first.bundle(), "another name needs no other authority");
    assert_ne!(other, first);
    let again = Material::renewed(Some(other.clone()), &["127.0.0.1".into()], at(2)).unwrap();
    assert_eq!(again, other, "and stays");
    assert!(Material::from_json(b"{\"authorities\":[]}").is_none());
}

#[tokio::test]
async fn a_folder_keeps_it_between_runs_and_readers_follow() {
    let folder = std::env::temp_dir().join(format!("palisade-certificates-{}", std::process::id()));
    let open = |now| Certificates::open(Keeping::Folder(folder.clone()), names(), now);
    let first = open(at(0)).await.unwrap();
    let second = open(at(1)).await.unwrap();
    assert_eq!(*first.bundles().borrow(), *second.bundles().borrow());
    let mut follower = second.bundles();
    follower.mark_unchanged();
    assert!(!second.refresh(at(2)).await.unwrap());
    std::fs::write(folder.join("certificates.json"), "{").unwrap();
    assert!(!second.refresh(at(2)).await.unwrap(), "what is held mends what was kept");
    assert!(second.refresh(at(24 * 500)).await.unwrap());
    assert!(follower.has_changed().unwrap());
    assert!(first.refresh(at(24 * 500)).await.unwrap(), "another replica takes it over");
    assert_eq!(*first.bundles().borrow(), *second.bundles().borrow());
    assert!(!format!("{first:?}").contains("PRIVATE KEY"));
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn names_follow_the_service_or_the_address() {
    let mut config = KubernetesConfig::default();
    assert_eq!(super::names(&config), names());
    config.webhook_url = Some("https://[::1]:9443/x".into());
    assert_eq!(super::names(&config), ["::1"]);
}
