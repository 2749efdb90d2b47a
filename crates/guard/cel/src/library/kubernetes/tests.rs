//! Kubernetes' libraries through compiled expressions.

use crate::library::testing::{self, check, holds};
use crate::{Bindings, Budget, Env, Val};

fn evaluate(source: &str) -> String {
    let env = Env::builder().libraries(super::libraries()).variable("authorizer", super::authorizer::authorizer_type());
    testing::evaluate(&env.build(), &Bindings::new().with("authorizer", super::authorizer::authorizer()), source)
}

#[test]
fn quantities() {
    holds(
        evaluate,
        &[
            "quantity('50k').add(quantity('20k')) == quantity('70k')",
            "quantity('50k').sub(20000) == quantity('30k')",
            "quantity('200M').compareTo(quantity('0.2G')) == 0",
            "quantity('150Mi').isGreaterThan(quantity('100Mi'))",
            "quantity('50M').isLessThan(quantity('50Mi'))",
            "quantity('50k').isInteger() && !quantity('1500m').isInteger()",
            "sign(quantity('-1')) == -1",
            "isQuantity('1.3Gi') && !isQuantity('200K')",
            "quantity('50.703k').asApproximateFloat() == 50703.0",
        ],
    );
    check(
        evaluate,
        &[
            ("quantity('0.5').asInteger()", "error: cannot convert value to integer"),
            (
                "quantity('x')",
                "error: quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'",
            ),
            ("quantity('1.5Gi')", "\"1536Mi\""),
        ],
    );
}

#[test]
fn versions() {
    holds(
        evaluate,
        &[
            "semver('1.2.3').isLessThan(semver('2.0.0'))",
            "semver('1.2.3').compareTo(semver('0.1.2')) == 1",
            "semver('v1.2', true) == semver('1.2.0')",
            "isSemver('1.0.0') && !isSemver('v1.0') && isSemver('v1.0', true)",
            "semver('1.2.3').major() == 1 && semver('1.2.3').minor() == 2 && semver('1.2.3').patch() == 3",
            "semver('1.2.3-rc.1').isLessThan(semver('1.2.3'))",
        ],
    );
    assert!(evaluate("semver('200K')").starts_with("error: no major.minor.patch"));
}

#[test]
fn regular_expressions_and_lists() {
    check(
        evaluate,
        &[
            ("'abc 123'.find('[0-9]+')", "\"123\""),
            ("'abc'.find('x')", "\"\""),
            ("'123 abc 456'.findAll('[0-9]+')", "[\"123\",\"456\"]"),
            ("'123 abc 456'.findAll('[0-9]+', 1)", "[\"123\"]"),
            ("'123 abc 456'.findAll('[0-9]+', -1)", "[\"123\",\"456\"]"),
            ("[1, 3].sum()", "4"),
            ("dyn([1.5, 3.0]).sum()", "4.5"),
            ("[1.5].filter(x, x > 2.0).sum() == 0.0", "true"),
            ("dyn(['a']).sum()", "error: no such overload: sum(list)"),
            ("[1.5, 3.0].sum()", "4.5"),
            ("[duration('1m'), duration('1s')].sum() == duration('61s')", "true"),
            ("[1, 9223372036854775807].sum()", "error: integer overflow"),
            ("['a', 'b', 'b'].isSorted() && ![2, 1].isSorted()", "true"),
            ("[3, 1, 2].min() == 1 && ['a', 'c', 'b'].max() == 'c'", "true"),
            ("[1].filter(x, x > 1).min()", "error: min called on empty list"),
            ("[1, 2, 2, 3].indexOf(2) == 1 && [1, 2, 2, 3].lastIndexOf(2) == 2", "true"),
            ("['a'].indexOf('b')", "-1"),
        ],
    );
}

#[test]
fn addresses() {
    holds(
        evaluate,
        &[
            "ip('127.0.0.1').family() == 4 && ip('::1').family() == 6",
            "isIP('::1') && !isIP('127.0.0.256') && !isIP(':::1') && !isIP('01.2.3.4')",
            "ip.isCanonical('2001:db8::abcd') && !ip.isCanonical('2001:DB8::ABCD')",
            "ip('0.0.0.0').isUnspecified() && ip('127.5.0.1').isLoopback()",
            "ip('224.0.0.1').isLinkLocalMulticast() && !ip('224.0.1.1').isLinkLocalMulticast()",
            "ip('ff02::1').isLinkLocalMulticast() && !ip('fd00::1').isLinkLocalMulticast()",
            "ip('169.254.169.254').isLinkLocalUnicast() && ip('fe80::1').isLinkLocalUnicast()",
            "ip('192.168.0.1').isGlobalUnicast() && !ip('255.255.255.255').isGlobalUnicast()",
            "string(ip('2001:DB8::1')) == '2001:db8::1'",
            "type(ip('::1')) == net.IP && type(cidr('::/0')) == net.CIDR",
            "cidr('192.168.0.0/24').containsIP('192.168.0.1') && !cidr('192.168.0.0/24').containsIP(ip('192.168.1.1'))",
            "cidr('192.168.0.0/16').containsCIDR('192.168.10.0/24') && cidr('10.0.0.0/8').containsCIDR(cidr('10.0.0.0/8'))",
            "!cidr('2001:db8::/32').containsIP('10.0.0.1')",
            "cidr('0.0.0.0/0').containsIP('10.0.0.1') && cidr('::/0').containsIP('::1')",
            "cidr('192.168.0.1/24').masked() == cidr('192.168.0.0/24') && cidr('192.168.0.1/24') != cidr('192.168.0.0/24')",
            "cidr('192.168.0.1/24').ip() == ip('192.168.0.1') && cidr('::1/128').prefixLength() == 128",
            "isCIDR('::1/128') && !isCIDR('1.2.3.4/33') && !isCIDR('1.2.3.4/08') && !isCIDR('1.2.3.4/')",
            "string(cidr('2001:db8::/32')) == '2001:db8::/32'",
        ],
    );
    check(
        evaluate,
        &[
            ("ip('fe80::1%en0')", "error: IP address \"fe80::1%en0\" with zone value is not allowed"),
            ("ip('::ffff:192.168.0.1')", "error: IPv4-mapped IPv6 address \"::ffff:192.168.0.1\" is not allowed"),
        ],
    );
}

#[test]
fn urls() {
    holds(
        evaluate,
        &[
            "isURL('https://user:pass@example.com:80/path?query=val#fragment') && isURL('/absolute-path')",
            "!isURL('https://a:b:c/') && !isURL('../relative-path') && !isURL('') && !isURL('http://[::1') && !isURL('/%zz')",
            "url('https://example.com:80/').getHost() == 'example.com:80'",
            "url('https://[::1]:80/').getHostname() == '::1' && url('https://[::1]:80/').getPort() == '80'",
            "url('/path').getScheme() == '' && url('/path').getHost() == ''",
            "url('https://example.com/path with spaces/').getEscapedPath() == '/path%20with%20spaces/'",
            "url('https://example.com/p?k1=a&k2=b&k2=c+d').getQuery() == {'k1': ['a'], 'k2': ['b', 'c d']}",
            "url('https://example.com/p?').getQuery() == {}",
            "url('HTTPS://example.com/a#f') == url('https://example.com/a#f')",
        ],
    );
    assert!(evaluate("url('../x')").ends_with("invalid URI for request"));
}

#[test]
fn formats() {
    holds(
        evaluate,
        &[
            "!format.dns1123Label().validate('my-label').hasValue() && format.dns1123Label().validate('My').hasValue()",
            "format.dns1123Label().validate('a.b').value() == ['must not contain dots']",
            "!format.dns1123Subdomain().validate('apiextensions.k8s.io').hasValue()",
            "format.dns1035Label().validate('1a').hasValue() && !format.dns1035Label().validate('a1').hasValue()",
            "!format.qualifiedName().validate('example.com/My_Name').hasValue() && format.qualifiedName().validate('/x').hasValue()",
            "!format.dns1123LabelPrefix().validate('my-prefix-').hasValue() && format.dns1123Label().validate('my-prefix-').hasValue()",
            "!format.labelValue().validate('').hasValue() && format.labelValue().validate('-').hasValue()",
            "!format.uri().validate('http://example.com').hasValue() && format.uri().validate('x').hasValue()",
            "!format.uuid().validate('123e4567-e89b-12d3-a456-426614174000').hasValue() && format.uuid().validate('1').hasValue()",
            "!format.byte().validate('aGVsbG8=').hasValue() && format.byte().validate('aGVsbG8').hasValue()",
            "!format.date().validate('2024-02-29').hasValue() && format.date().validate('2023-02-29').hasValue()",
            "!format.datetime().validate('2021-01-01T00:00:00.5Z').hasValue() && format.datetime().validate('2021-01-01').hasValue()",
            "!format.datetime().validate('2021-01-01t23:59:59+02:00').hasValue() && format.datetime().validate('2021-01-01T24:00:00Z').hasValue()",
            "format.named('uri').hasValue() && !format.named('nothing').hasValue()",
            "format.named('dns1123Label').value() == format.dns1123Label()",
        ],
    );
}

#[test]
fn objects_and_patches() {
    check(
        evaluate,
        &[
            (
                "Object{spec: Object.spec{replicas: 3, list: [Object.spec.list{a: 'b'}]}}",
                "{\"spec\":{\"replicas\":3,\"list\":[{\"a\":\"b\"}]}}",
            ),
            ("Object{?absent: optional.none()}", "{}"),
            ("Object{spec: Object.spec{replicas: 3}} == Object{spec: Object.spec{replicas: 1 + 2}}", "true"),
            ("has(Object{a: 1}.a) && !has(Object{a: 1}.b)", "true"),
            (
                "JSONPatch{op: 'add', path: '/spec/replicas', value: 3}",
                "{\"op\":\"add\",\"path\":\"/spec/replicas\",\"value\":3}",
            ),
            ("JSONPatch{op: 'move', from: '/a', path: '/b'}", "{\"op\":\"move\",\"path\":\"/b\",\"from\":\"/a\"}"),
            ("jsonpatch.escapeKey('k8s.io/my~label')", "\"k8s.io~1my~0label\""),
        ],
    );
    let env = Env::builder().libraries(super::libraries()).build();
    assert!(env.compile("JSONPatch{op: 1}").is_err());
    assert!(env.compile("JSONPatch{nothing: 1}").is_err());
    let object =
        |source: &str| env.compile(source).unwrap().evaluate(&Bindings::new(), &mut Budget::default()).unwrap();
    let names = |value: &Val| value.downcast::<super::object::DynamicObject>().unwrap().check_type_names();
    assert!(names(&object("Object{spec: Object.spec{a: {'k': Object.spec.a{}}}}")).is_ok());
    assert!(names(&object("Object{spec: Object.other{}}")).is_err());
}

#[test]
fn authorization_is_never_answered() {
    check(
        evaluate,
        &[
            ("authorizer.path('  ')", "error: path must not be empty"),
            ("authorizer.group('apps').resource('')", "error: resource must not be empty"),
            ("authorizer.serviceAccount('default', 'Not valid')", "error: Invalid service account name"),
        ],
    );
    for read in ["allowed() == true", "reason() == ''", "errored() == false", "error() == ''"] {
        let source = format!("authorizer.group('apps').resource('deployments').namespace('a').check('create').{read}");
        assert!(evaluate(&source).starts_with("error: authorization cannot be checked offline"), "{source}");
    }
}
