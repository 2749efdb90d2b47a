//! Signed manifests from keys that the tests make, and one that Python's `cryptography` made.
#![expect(clippy::needless_pass_by_value, reason = "calls read better without references")]

use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use jiff::Timestamp;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use palisade_model::{Map, Resource, Value, Verdict, json};
use palisade_policy::{AdmissionRequest, Environment, Offline, Operation, Phase, Request, RuleOutcome, Variables};

const MANIFEST: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {mode: careful, limit: '10'}\n";
/// What stands before the point in the DER form of a P-256 key.
const KEY_HEAD: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";

fn owner(seed: u8) -> SigningKey {
    SigningKey::from_slice(&[seed; 32]).unwrap()
}

fn public(seed: u8) -> String {
    let point = owner(seed).verifying_key().to_sec1_point(false);
    let body = STANDARD.encode(point.as_bytes().get(1..).unwrap());
    format!("-----BEGIN PUBLIC KEY-----\n{KEY_HEAD}{body}\n-----END PUBLIC KEY-----")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Annotations with a message and the signatures of these owners.
fn annotations(domain: &str, packed: &[u8], signed: &[u8], owners: &[u8]) -> Value {
    let mut map = Map::default();
    map.insert(format!("{domain}/message"), STANDARD.encode(packed));
    for (at, seed) in owners.iter().enumerate() {
        let signature: Signature = owner(*seed).sign(signed);
        let suffix = if at == 0 { String::new() } else { format!("_{at}") };
        map.insert(format!("{domain}/signature{suffix}"), STANDARD.encode(signature.to_der().as_bytes()));
    }
    Value::object(map)
}

fn signed(message: &[u8], owners: &[u8]) -> Value {
    annotations("cosign.sigstore.dev", &gzip(message), message, owners)
}

fn settings(annotations: Value, data: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": data,
        "metadata": {"name": "settings", "namespace": "shop", "annotations": annotations},
    })
}

fn as_signed() -> Value {
    json!({"mode": "careful", "limit": "10"})
}

/// A set of attestors with one key each.
fn set(keys: &[String], count: usize) -> Value {
    let entries: Vec<Value> = keys.iter().map(|key| json!({"keys": {"publicKeys": key}})).collect();
    json!({"count": count, "entries": entries})
}

fn by(seeds: &[u8], count: usize) -> Value {
    json!({"attestors": [set(&seeds.iter().map(|seed| public(*seed)).collect::<Vec<_>>(), count)]})
}

fn judge(manifests: Value, object: Value) -> RuleOutcome {
    let kind = object.get("kind").cloned().unwrap();
    let policy = json!({
        "apiVersion": "kyverno.io/v1", "kind": "ClusterPolicy", "metadata": {"name": "signed"},
        "spec": {"background": false, "rules": [{
            "name": "signed", "match": {"any": [{"resources": {"kinds": [kind]}}]}, "validate": {"manifests": manifests},
        }]},
    });
    let mut diagnostics = Vec::new();
    let policy = crate::legacy::policy(&Resource::in_memory(policy), &[], &mut diagnostics);
    assert!(diagnostics.is_empty(), "{diagnostics:?}");
    let variables = Variables::default();
    let environment = Environment::new(Timestamp::UNIX_EPOCH, &Offline, &variables);
    let request = AdmissionRequest::of(&Resource::in_memory(object), Operation::Create);
    let mut outcomes = policy.unwrap().evaluate(Phase::Validate, &Request::admission(request), &environment);
    assert_eq!(outcomes.len(), 1, "{outcomes:?}");
    outcomes.remove(0)
}

#[track_caller]
fn expect(verdict: Verdict, part: &str, outcome: &RuleOutcome) {
    assert_eq!(outcome.verdict, verdict, "{}", outcome.message);
    assert!(outcome.message.contains(part), "{}", outcome.message);
}

fn paths(outcome: &RuleOutcome) -> Vec<String> {
    outcome.paths.iter().map(ToString::to_string).collect()
}

#[test]
fn what_was_signed_passes() {
    let object = settings(signed(MANIFEST.as_bytes(), &[1]), as_signed());
    expect(Verdict::Pass, "verified manifest signatures", &judge(by(&[1], 1), object));
}

#[test]
fn a_signature_of_another_implementation_verifies() {
    let key = "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAENOQ6GIYbXyO4pOiqsXZljfXJtyeGTkuXKhZIzGS/TE2k+9erc+odheZfKZlk0AOWngebJHEnTeQ2dsyUgfcH5w==\n-----END PUBLIC KEY-----";
    let annotations = json!({
        "cosign.sigstore.dev/message": "H4sIAAAAAAACAzXIMQ6AIAwAwL2vaHiBrF2dXd0bqaRRCoHq+2VxvOOmu/Sh1QjfCJdaIlyrnZo3blDEObEzAaJxEcIh7mp5wN+lptkHdzmfe/rWok4Y4hLgA50fPcleAAAA",
        "cosign.sigstore.dev/signature": "MEUCIBtPnwlY4E0eRgFAHKnV9ihZVJiX8teIE+GDaYim7muMAiEAq4QSqnMj2GOaMXD1EOP2U+8p0yn2K4w2IOy+jirbGgk=",
    });
    let rule = json!({"attestors": [{"entries": [{"keys": {"publicKeys": key}}]}]});
    expect(Verdict::Pass, "", &judge(rule, settings(annotations, as_signed())));
}

#[test]
fn signatures_may_be_two_numbers_side_by_side() {
    let mut annotations = signed(MANIFEST.as_bytes(), &[2]);
    let signature: Signature = owner(1).sign(MANIFEST.as_bytes());
    let numbers = STANDARD.encode(signature.to_bytes());
    annotations.as_object_mut().unwrap().insert("cosign.sigstore.dev/signature", numbers);
    expect(Verdict::Pass, "", &judge(by(&[1], 1), settings(annotations, as_signed())));
}

#[test]
fn keys_are_read_as_strictly_as_by_kyverno() {
    let object = settings(signed(MANIFEST.as_bytes(), &[1]), as_signed());
    let verdict = |key: String| judge(json!({"attestors": [set(&[key], 1)]}), object.clone());
    expect(Verdict::Pass, "", &verdict(public(1).replace('\n', "\r\n")));
    expect(Verdict::Error, "on a line of its own", &verdict(public(1).replace('\n', " ")));
    expect(Verdict::Error, "lacks its last line", &verdict(public(1).replace('\n', "\n  ")));
    expect(Verdict::Error, "lacks its last line", &verdict(public(1) + "more"));
    let short = public(1).replace(KEY_HEAD, "MFkw");
    expect(Verdict::Error, "P-256", &verdict(short));
}

#[test]
fn a_manifest_without_the_name_is_chosen_by_content() {
    let one =
        |at: usize| format!("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {{name: n{at}}}\ndata: {{mode: m{at}}}\n");
    let message: String = (0..6).map(one).collect();
    let object = settings(signed(message.as_bytes(), &[1]), json!({"mode": "m4"}));
    assert_eq!(paths(&judge(by(&[1], 1), object.clone())), ["metadata.name"]);
    let mut rule = by(&[1], 1);
    rule.as_object_mut().unwrap().insert("ignoreFields", json!([{"fields": ["metadata.name"]}]));
    expect(Verdict::Pass, "", &judge(rule, object));
}

#[test]
fn changes_fail_and_are_named() {
    let message = MANIFEST.as_bytes();
    let changed = settings(signed(message, &[1]), json!({"mode": "reckless", "limit": "10", "more": "x"}));
    let outcome = judge(by(&[1], 1), changed.clone());
    expect(Verdict::Fail, "diff found", &outcome);
    assert_eq!(paths(&outcome), ["data.mode", "data.more"]);

    let ignoring = |kind: &str| {
        let mut rule = by(&[1], 1);
        let fields = json!([{"fields": ["data.mode", "data.m*e"], "objects": [{"kind": kind, "name": "set*"}]}]);
        rule.as_object_mut().unwrap().insert("ignoreFields", fields);
        rule
    };
    expect(Verdict::Pass, "", &judge(ignoring("ConfigMap"), changed.clone()));
    expect(Verdict::Fail, "data.mode", &judge(ignoring("Secret"), changed));
}

#[test]
fn what_is_not_signed_fails() {
    expect(Verdict::Fail, "message not found", &judge(by(&[1], 1), settings(json!({}), as_signed())));
    let message_only = settings(signed(MANIFEST.as_bytes(), &[]), as_signed());
    expect(Verdict::Fail, "signature not found", &judge(by(&[1], 1), message_only));
    let other_kind = MANIFEST.replace("ConfigMap", "Secret");
    let other = settings(signed(other_kind.as_bytes(), &[1]), as_signed());
    expect(Verdict::Fail, "no manifest of this kind", &judge(by(&[1], 1), other));
}

#[test]
fn enough_attestors_must_have_signed() {
    let object = |owners: &[u8]| settings(signed(MANIFEST.as_bytes(), owners), as_signed());
    expect(Verdict::Pass, "requiredCount 1", &judge(by(&[2, 1], 1), object(&[1])));
    expect(Verdict::Pass, "requiredCount 2", &judge(by(&[2, 1], 0), object(&[1, 2])));
    expect(Verdict::Error, "entries[1].keys: no signature", &judge(by(&[1, 2], 2), object(&[1])));
    expect(Verdict::Error, "no signature was made with this key", &judge(by(&[2], 1), object(&[1])));
    let both = json!({"attestors": [set(&[public(1)], 1), set(&[public(2)], 1)]});
    expect(Verdict::Pass, "", &judge(both.clone(), object(&[2, 1])));
    expect(Verdict::Error, ".attestors[1]", &judge(both, object(&[1])));
    let nested = json!({"attestors": [{"count": 1, "entries": [
        {"attestor": set(&[public(2)], 1)}, {"attestor": set(&[public(1)], 1)},
    ]}]});
    expect(Verdict::Pass, "", &judge(nested, object(&[1])));
    expect(Verdict::Fail, "verifiedCount 1; requiredCount 2", &judge(by(&[1], 2), object(&[1])));
}

#[test]
fn several_keys_in_one_text_are_several_entries() {
    let object = settings(signed(MANIFEST.as_bytes(), &[1, 2]), as_signed());
    let rule = |keys: String| json!({"attestors": [set(&[keys], 0)]});
    let adjacent = format!("{}{}\n", public(1), public(2));
    expect(Verdict::Pass, "requiredCount 2", &judge(rule(adjacent), object.clone()));
    let on_lines = format!("{}\n{}\n", public(1), public(2));
    expect(Verdict::Error, "an entry of its own", &judge(rule(on_lines), object));
}

#[test]
fn what_cannot_be_told_offline_is_an_error() {
    let object = settings(signed(MANIFEST.as_bytes(), &[1]), as_signed());
    let entry = |entry: Value| json!({"attestors": [{"entries": [entry]}]});
    let keyless = json!({"keyless": {"subject": "me@example.org", "issuer": "https://example.org"}});
    expect(Verdict::Error, "Fulcio", &judge(entry(keyless), object.clone()));
    let certificate = json!({"certificates": {"cert": "x"}});
    expect(Verdict::Error, "certificate chains", &judge(entry(certificate), object.clone()));
    let secret = json!({"keys": {"publicKeys": "k8s://default/key"}});
    expect(Verdict::Error, "`k8s://default/key` is not a public key", &judge(entry(secret), object.clone()));
    let image = json!({"keys": {"publicKeys": public(1)}, "repository": "example.org/signed"});
    expect(Verdict::Error, "in an image", &judge(entry(image), object.clone()));
    let annotated = json!({"keys": {"publicKeys": public(1)}, "annotations": {"team": "blue"}});
    expect(Verdict::Error, "lacks the annotation", &judge(entry(annotated), object.clone()));
    expect(Verdict::Error, "names nobody", &judge(entry(json!({})), object));
}

#[test]
fn only_so_many_signatures_are_tried() {
    let many = settings(signed(MANIFEST.as_bytes(), &[2; 101]), as_signed());
    expect(Verdict::Error, "more than 100 signatures", &judge(by(&[1], 1), many));
}

#[test]
fn damaged_messages_are_errors() {
    let judge = |text: String| {
        let part = |name: &str| format!("cosign.sigstore.dev/{name}");
        let annotations: Map =
            [(part("message").into(), text.into()), (part("signature").into(), "x".into())].into_iter().collect();
        judge(by(&[1], 1), settings(Value::object(annotations), as_signed()))
    };
    let packed = gzip(MANIFEST.as_bytes());
    expect(Verdict::Error, "not base64", &judge("%%%".into()));
    expect(Verdict::Error, "cannot be read", &judge(STANDARD.encode(b"\x00\x01")));
    expect(Verdict::Error, "damaged gzip", &judge(STANDARD.encode(packed.get(..packed.len() - 9).unwrap())));
    expect(Verdict::Error, "more than 16 MiB", &judge(STANDARD.encode(gzip(&vec![b'a'; 17 << 20]))));
    expect(Verdict::Error, "more than 16 MiB", &judge(STANDARD.encode(gzip(&gzip(&vec![0; 17 << 20])))));
    expect(Verdict::Error, "damaged tar", &judge(STANDARD.encode(gzip(&gzip(&[7; 1024])))));
    expect(Verdict::Error, "no signature was made", &judge(STANDARD.encode(packed)));
}

/// A tar archive with one file.
fn tar(name: &str, body: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    let mut put = |at: usize, text: &str| header.get_mut(at..at + text.len()).unwrap().copy_from_slice(text.as_bytes());
    put(0, name);
    put(124, &format!("{:011o}", body.len()));
    put(148, "        ");
    put(156, "0");
    put(257, "ustar");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header.get_mut(148..154).unwrap().copy_from_slice(format!("{sum:06o}").as_bytes());
    let padding = vec![0; body.len().next_multiple_of(512) - body.len() + 1024];
    [&header[..], body, &padding].concat()
}

#[test]
fn archives_are_looked_into() {
    let object = |archive: &[u8]| settings(signed(&gzip(archive), &[1]), as_signed());
    let body = format!("{MANIFEST}---\n{MANIFEST}");
    expect(Verdict::Pass, "", &judge(by(&[1], 1), object(&tar("deploy/settings.yaml", body.as_bytes()))));
    let ignored = [tar("readme.txt", MANIFEST.as_bytes()), tar("../settings.yaml", MANIFEST.as_bytes())];
    for archive in ignored {
        expect(Verdict::Fail, "no manifest", &judge(by(&[1], 1), object(&archive)));
    }
    let early = tar("a.yaml", &[b' '; 4096]);
    expect(Verdict::Error, "ends too early", &judge(by(&[1], 1), object(early.get(..1024).unwrap())));
}

#[test]
fn the_domain_of_annotations_can_be_chosen() {
    let message = MANIFEST.as_bytes();
    let object = settings(annotations("sign.example.org", &gzip(message), message, &[1]), as_signed());
    let mut rule = by(&[1], 1);
    rule.as_object_mut().unwrap().insert("annotationDomain", "sign.example.org");
    expect(Verdict::Pass, "", &judge(rule, object.clone()));
    expect(Verdict::Fail, "message not found", &judge(by(&[1], 1), object));
}

#[test]
fn leaves_are_compared_as_kyverno_does() {
    let message = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec:\n  replicas: 2\n  template:\n    spec:\n      containers: [{name: a, image: nginx, tty: true}, {name: b, image: redis}]\n";
    let judge = |replicas: Value, first: Value, second: Value| {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "status": {"ready": 1},
            "metadata": {"name": "web", "uid": "7", "annotations": (signed(message.as_bytes(), &[1]))},
            "spec": {"replicas": replicas, "paused": null, "selector": {},
                "template": {"spec": {"containers": [first, second]}}},
        });
        judge(by(&[1], 1), object)
    };
    let (a, b) = (json!({"name": "a", "image": "nginx", "tty": true}), json!({"name": "b", "image": "redis"}));
    expect(Verdict::Pass, "", &judge(json!(2), a.clone(), b.clone()));
    expect(Verdict::Pass, "", &judge(json!(2.0), a.clone(), b.clone()));
    assert_eq!(paths(&judge(json!("2"), a.clone(), b.clone())), ["spec.replicas"]);
    let canonical = json!({"name": "b", "image": "redis:latest", "workingDir": ""});
    expect(Verdict::Pass, "", &judge(json!(2), a.clone(), canonical));
    let moved = (json!({"name": "a", "image": "nginx"}), json!({"name": "b", "image": "redis", "tty": true}));
    expect(Verdict::Pass, "", &judge(json!(2), moved.0, moved.1));
    let other = judge(json!(2), a.clone(), json!({"name": "b", "image": "redis", "stdin": false}));
    assert_eq!(paths(&other), ["spec.template.spec.containers[1].stdin"]);
    assert_eq!(paths(&judge(json!(2), b, a)).len(), 4);
}
