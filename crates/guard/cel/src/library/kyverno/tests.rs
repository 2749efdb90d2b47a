//! Kyverno's libraries through compiled expressions, with surroundings that answer from memory.

use jiff::Timestamp;
use palisade_model::{Map, Value, json};
use palisade_policy::{ApiCall, Environment, LookupError, Lookups, ObjectQuery, Offline, Variables, forward_lookups};

use super::generator::{self, Collector};
use crate::library::testing::{self, check, holds};
use crate::{Bindings, Budget, Env, EvalError, Scope, Val};

/// A cluster that echoes what it is asked.
pub(in crate::library) struct Echo;

fn named(name: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"app": name}}})
}

impl Lookups for Echo {
    forward_lookups!(|_this| Offline; objects, send, namespace);

    fn http(&self, call: &ApiCall) -> Result<Value, LookupError> {
        self.call(call)
    }
    fn get(&self, query: &ObjectQuery) -> Result<Value, LookupError> {
        match &*query.name {
            "missing" => Err(LookupError::NotFound("missing".into())),
            _ => Ok(json!(format!("{query:?}"))),
        }
    }
    fn list(&self, _query: &ObjectQuery) -> Result<Vec<Value>, LookupError> {
        Ok(vec![named("a"), named("b")])
    }
    fn call(&self, call: &ApiCall) -> Result<Value, LookupError> {
        Ok(json!(format!("{} {} {}", call.method, call.url, call.body.to_json())))
    }
    fn global_context(&self, name: &str, projection: &str) -> Result<Value, LookupError> {
        match name {
            "missing" => Err(LookupError::NotFound("missing".into())),
            _ => Ok(json!(format!("{name}/{projection}"))),
        }
    }
    fn image(&self, reference: &str) -> Result<Value, LookupError> {
        match reference.split_once('/') {
            Some(_) => Ok(json!(format!("image {reference}"))),
            None => Err(LookupError::NotFound(reference.into())),
        }
    }
}

pub(in crate::library) struct Surrounded<'a> {
    pub(in crate::library) environment: Environment<'a>,
    pub(in crate::library) variables: Bindings,
}

impl Scope for Surrounded<'_> {
    fn variable(&self, name: &str, budget: &mut Budget) -> Option<Result<Val, EvalError>> {
        self.variables.variable(name, budget)
    }
    fn environment(&self) -> Option<&Environment<'_>> {
        Some(&self.environment)
    }
}

fn evaluate_in(libraries: Vec<crate::Library>, lookups: &dyn Lookups, variables: Bindings, source: &str) -> String {
    let env = Env::builder()
        .libraries(libraries)
        .library(super::verification_library())
        .library(super::or_value_library())
        .variable("generator", generator::generator_type())
        .variable("data", crate::Type::Dyn);
    let given = Variables::default();
    let now = "2024-05-06T07:08:09.5Z".parse::<Timestamp>().unwrap();
    let scope = Surrounded { environment: Environment::new(now, lookups, &given), variables };
    testing::evaluate(&env.build(), &scope, source)
}

fn evaluate(source: &str) -> String {
    let data = json!({"names": ["a"], "container": {"image": "nginx"}});
    let libraries = [super::libraries(), vec![generator::library()]].concat();
    evaluate_in(libraries, &Echo, Bindings::new().with("data", Val::from(data)), source)
}

#[test]
fn image_references() {
    let digest = format!("sha256:{}", "a".repeat(64));
    holds(
        evaluate,
        &[
            "parseImageReference('nginx').registry() == 'index.docker.io'",
            "image('nginx').repository() == 'library/nginx' && image('a/b').repository() == 'a/b'",
            "image('docker.io/nginx').registry() == 'index.docker.io'",
            "image('ghcr.io/a/b:1.2').tag() == '1.2' && image('ghcr.io/a/b').identifier() == 'latest'",
            "image('localhost:5000/ab').registry() == 'localhost:5000' && image('localhost:5000/ab').tag() == 'latest'",
            "isImage('ghcr.io/a/b') && !isImage('ghcr.io/a/b:@') && !isImage('Nginx') && !isImage('a') && !isImage('')",
            "!isImage('ghcr.io/a:b c') && !isImage('x.io:port/ab') && !isImage('nginx@sha512:12')",
            "!image('nginx').containsDigest() && image('nginx:1').identifierWithSeparator() == ':1'",
        ],
    );
    for source in [
        "image('ghcr.io/a/b:1@DIGEST').containsDigest() && image('ghcr.io/a/b:1@DIGEST').digest() == 'DIGEST'",
        "image('ghcr.io/a/b:1@DIGEST').identifier() == '1@DIGEST' && image('ghcr.io/a/b:1@DIGEST').tag() == '1'",
        "image('ghcr.io/a/b@DIGEST').identifier() == 'DIGEST' && image('ghcr.io/a/b@DIGEST').tag() == ''",
        "image('ghcr.io/a/b:1@DIGEST').identifierWithSeparator() == '@DIGEST'",
    ] {
        assert_eq!(evaluate(&source.replace("DIGEST", &digest)), "true", "{source}");
    }
    assert_eq!(evaluate("image('a b')"), "error: could not parse reference: a b");
}

#[test]
fn encodings() {
    check(
        evaluate,
        &[
            (
                "json.marshal({'b': 1, 'a': [true, null, '<']})",
                "\"{\\\"a\\\":[true,null,\\\"\\\\u003c\\\"],\\\"b\\\":1}\"",
            ),
            ("json.marshal([duration('1s'), duration('2ns')])", "\"[1000000000,2]\""),
            ("json.marshal({1: 'a'})", "error: json.marshal: the key `1` is no text"),
            ("json.unmarshal('{\"a\": 1.5}').a", "1.5"),
            ("type(json.unmarshal('{\"a\": 1}').a) == double", "true"),
            ("yaml.parse('a: [1, x]\\nb: yes')", "{\"a\":[1,\"x\"],\"b\":true}"),
            ("yaml.parse('')", "null"),
            ("gzip.decompress(gzip.compress('hello')) == 'hello'", "true"),
        ],
    );
    assert!(evaluate("json.unmarshal('{')").starts_with("error: invalid JSON"));
    assert!(evaluate("yaml.parse('a: [')").starts_with("error: invalid YAML"));
    assert!(evaluate("gzip.decompress(b'x')").starts_with("error: gzip.decompress"));
}

#[test]
fn hashes_numbers_users_and_maps() {
    holds(
        evaluate,
        &[
            "md5('a') == '0cc175b9c0f1b6a831c399e269772661' && hash.md5('a') == md5('a')",
            "sha1('a') == '86f7e437faa5a7fce15d1ddcb9eaeaea377667b8' && hash.sha1('a') == sha1('a')",
            "sha256('a') == 'ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb'",
            "hash.sha256('a') == sha256('a')",
            "math.round(2.345, 2) == 2.35 && math.round(-0.5, 0) == -1.0 && math.round(1234.0, -2) == 1200.0",
            "parseServiceAccount('system:serviceaccount:ns:app').Name == 'app'",
            "user.parseServiceAccount('system:serviceaccount:ns:app').Namespace == 'ns'",
            "parseServiceAccount('alice').Name == ''",
            "listObjToMap([{'k': 'a'}, {'k': 'b'}], [{'v': 1}, {'v': 2}], 'k', 'v') == {'a': 1, 'b': 2}",
            "transform.listObjToMap([{'k': 'a'}, {'k': 'a'}], [{'v': 1}, {'w': 2}], 'k', 'v') == {'a': null}",
        ],
    );
    assert!(evaluate("listObjToMap([{'k': 'a'}], [], 'k', 'v')").contains("equal length"));
    assert!(evaluate("listObjToMap([{'k': 1}], [{'v': 1}], 'k', 'v')").contains("as a string"));
}

#[test]
fn time_and_chance_come_from_the_environment() {
    holds(
        evaluate,
        &[
            "time.now() == timestamp('2024-05-06T07:08:09.5Z')",
            "time.toCron(timestamp('2024-05-05T07:08:09Z')) == '8 7 5 5 0'",
            "time.truncate(timestamp('2024-05-06T07:08:09Z'), duration('1h')) == timestamp('2024-05-06T07:00:00Z')",
            "time.truncate(timestamp('2024-05-06T07:08:09Z'), duration('0s')) == timestamp('2024-05-06T07:08:09Z')",
            "random().matches('^[0-9a-z]{8}$') && random.random('[a-f]{4}').matches('^[a-f]{4}$')",
            "random('[a-z]{12}') != random('[a-z]{12}')",
        ],
    );
    assert_eq!(evaluate("random('[a-z]{12}')"), evaluate("random('[a-z]{12}')"));
    assert!(evaluate("random('(')").starts_with("error: cannot draw from"));
}

#[test]
fn look_ups_go_to_the_cluster() {
    check(
        evaluate,
        &[
            ("globalContext.Get('entry')", "\"entry/\""),
            ("globalContext.get('entry', 'part')", "\"entry/part\""),
            ("globalContext.Get('missing')", "null"),
            ("http.Get('https://a')", "\"GET https://a null\""),
            ("http.get('https://a', {'k': 'v'})", "\"GET https://a null\""),
            ("http.Post('https://a', {'k': 1})", "\"POST https://a {\\\"k\\\":1}\""),
            ("http.Client('').Get('https://a')", "\"GET https://a null\""),
            ("http.Client('x')", "error: request failed: failed to parse PEM CA bundle for APICall"),
            ("image.GetMetadata('nginx')", "error: failed to get image data: nginx not found"),
            ("resource.Get('v1', 'configmaps', 'ns', 'missing')", "null"),
            ("resource.List('apps/v1', 'deployments', 'ns').items.size()", "2"),
            ("resource.list('v1', 'pods', '', {'app': 'b'}).items.map(i, i.metadata.name)", "[\"b\"]"),
            ("resource.List('a/b/c', 'x', '')", "error: unexpected GroupVersion string: a/b/c"),
            (
                "resource.Post('authorization.k8s.io/v1', 'subjectaccessreviews', {'a': 'b'})",
                "\"POST /apis/authorization.k8s.io/v1/subjectaccessreviews {\\\"a\\\":\\\"b\\\"}\"",
            ),
            (
                "resource.Post('v1', 'pods', 'ns', {'a': 'b'})",
                "\"POST /api/v1/namespaces/ns/pods {\\\"a\\\":\\\"b\\\"}\"",
            ),
            (
                "resource.ToGVR('networking.k8s.io/v1', 'NetworkPolicy')",
                "{\"Group\":\"networking.k8s.io\",\"Version\":\"v1\",\"Resource\":\"networkpolicies\"}",
            ),
        ],
    );
    let found = evaluate("resource.Get(resource.toGVR('apps/v1', 'Deployment'), 'ns', 'web')");
    for part in ["group: \\\"apps\\\"", "resource: \\\"deployments\\\"", "namespace: \\\"ns\\\"", "name: \\\"web\\\""] {
        assert!(found.contains(part), "{found}");
    }
}

#[test]
fn a_namespaced_policy_looks_into_its_own_namespace() {
    let ask = |source: &str| evaluate_in(super::namespaced_libraries("own"), &Echo, Bindings::new(), source);
    assert!(ask("resource.Get('v1', 'configmaps', 'web')").contains("namespace: \\\"own\\\""));
    assert!(ask("resource.Post('v1', 'pods', {'a': 'b'})").contains("/namespaces/own/pods"));
    assert_eq!(ask("resource.List('v1', 'pods').items.size()"), "2");
}

#[test]
fn what_nobody_can_answer_is_an_error() {
    let ask = |source: &str| evaluate_in(super::libraries(), &Offline, Bindings::new(), source);
    for source in [
        "resource.Get('v1', 'pods', '', 'a')",
        "resource.List('v1', 'pods', '')",
        "http.Get('x')",
        "globalContext.Get('x')",
        "image.GetMetadata('x')",
        "verifyImageSignatures('x', [data])",
        "verifyAttestationSignatures('x', 'y', [data])",
        "getImageData('x')",
        "extractPayload('x', 'y')",
    ] {
        assert!(ask(source).starts_with("error: "), "{source}");
    }
    assert!(evaluate("verifyImageSignatures('x', [data]) > 0").contains("later release"));
}

#[test]
fn generated_objects_are_collected() {
    let collector = Collector::new();
    let source = "generator.Apply('ns', [{'kind': 'A', 'metadata': {'name': 'a'}}, {'items': [{'kind': 'B'}]}]) \
                  && generator.apply('', [{'kind': 'C', 'metadata': {'namespace': 'x'}}])";
    let libraries = [super::libraries(), vec![generator::library()]].concat();
    let variables = Bindings::new().with("generator", collector.handle(None));
    assert_eq!(evaluate_in(libraries, &Offline, variables, source), "true");
    let expected = [
        json!({"kind": "A", "metadata": {"name": "a", "namespace": "ns"}}),
        json!({"kind": "B", "metadata": {"namespace": "ns"}}),
        Value::object(
            [("kind".into(), "C".into()), ("metadata".into(), Value::object(Map::new()))].into_iter().collect(),
        ),
    ];
    assert_eq!(collector.take(), expected);
    assert!(collector.take().is_empty());

    let libraries = vec![generator::namespaced_library()];
    let variables = Bindings::new().with("generator", collector.handle(Some("own".into())));
    assert_eq!(evaluate_in(libraries, &Offline, variables, "generator.Apply([{'kind': 'A'}])"), "true");
    assert_eq!(collector.take(), [json!({"kind": "A", "metadata": {"namespace": "own"}})]);
}

#[test]
fn or_value_is_lenient() {
    check(
        evaluate,
        &[
            ("data.?names.orValue([])", "[\"a\"]"),
            ("data.?nothing.orValue('x')", "\"x\""),
            ("data.names.orValue([])", "[\"a\"]"),
        ],
    );
}
