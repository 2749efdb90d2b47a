//! Chains of certificates made for these tests.

use palisade_rego_value::Value;

use crate::testing::call;

const ROOT: &str = "\
-----BEGIN CERTIFICATE-----
MIIB/DCCAWWgAwIBAgIUMKihr3vh3kGYqfNEtYQN1sTc1wUwDQYJKoZIhvcNAQEL
BQAwDzENMAsGA1UEAwwEUm9vdDAgFw0yNjExMjMxOTA3NDJaGA8yMTI2MTAzMDE5
MDc0MlowDzENMAsGA1UEAwwEUm9vdDCBnzANBgkqhkiG9w0BAQEFAAOBjQAwgYkC
gYEAs1C9g6HbKNtiFJIPc7XblDuq/K1CD+qTAIjgxVd99ayErD8ZBgr8tfHT1+xJ
Gbm+yDz74fRteERZFvTpQKPElhotp/Rn1Fb96Pbz+4mOLfNAeKt1oNIUIE9/8aEq
I1uVD0wkuuRbvQbwC0FJbeTCclcXUB9bRpWek4XACH7uizsCAwEAAaNTMFEwHQYD
VR0OBBYEFPrQ0HClty8fH3mipD6jU24sZ6DvMB8GA1UdIwQYMBaAFPrQ0HClty8f
H3mipD6jU24sZ6DvMA8GA1UdEwEB/wQFMAMBAf8wDQYJKoZIhvcNAQELBQADgYEA
Gbt+MNfVkIcvTDB4Z5g3CP6jvDEOGluVybbpnwigep8VYvqhyOfQDcjmbCv20DEu
QSwAbSZtdWyO96oyE50X1/4skDYdeuB929bbIc7leuqh1Hj84jCFD3YomTBEvJ1/
mAG034Eb3abGLUdoPDLjlaqsM9sqnTHFy4Udo1FSldQ=
-----END CERTIFICATE-----
";
const LEAF: &str = "\
-----BEGIN CERTIFICATE-----
MIIB0TCCATqgAwIBAgILAP7cuph2VDIQ/twwDQYJKoZIhvcNAQELBQAwDzENMAsG
A1UEAwwEUm9vdDAgFw0yNjExMjMxOTA3NDJaGA8yMTI1MDYxNzE5MDc0MlowFzEV
MBMGA1UEAwwMbGVhZi5leGFtcGxlMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE
dDX8I2TPyKeuwZKdZShlJ+fCeLkUZ59O/nLInGb1q+vgoe4g/8EG7SDtEvqhM1Xa
gan1Vkrj9OPrUwNXVsWLbqNwMG4wFwYDVR0RBBAwDoIMbGVhZi5leGFtcGxlMBMG
A1UdJQQMMAoGCCsGAQUFBwMBMB0GA1UdDgQWBBSq2EotYJPssIZI9DSUCkUOdmOG
ETAfBgNVHSMEGDAWgBT60NBwpbcvHx95oqQ+o1NuLGeg7zANBgkqhkiG9w0BAQsF
AAOBgQBzsagLYRGkCpeb6e9E04ilhHOnQBN475D89DlZrsS7lYcNjRScJGWhuVpC
DniMAou5KED5kEj17fNT5PmLuibuy2B9iEVk2y5hhkHNUBWotIq+Dg+y1ObqlE+v
tOa4kXaqFvVjiyzmAoG7MdunRZCMpmAACL/GToyHR6iH8G7rQg==
-----END CERTIFICATE-----
";

fn text(text: &str) -> String {
    Value::from(text).to_json()
}

fn verified(certificates: &str, options: &str) -> bool {
    call("crypto.x509.parse_and_verify_certificates_with_options", &[&text(certificates), options]).starts_with("[true")
}

#[test]
fn chains_are_judged() {
    let chain = format!("{ROOT}{LEAF}");
    let now = r#""CurrentTime": 1900000000000000000"#;
    assert!(verified(&chain, &format!("{{{now}}}")));
    assert!(verified(&chain, &format!(r#"{{{now}, "DNSName": "leaf.example"}}"#)));
    assert!(!verified(&chain, &format!(r#"{{{now}, "DNSName": "other.example"}}"#)));
    assert!(!verified(&chain, &format!(r#"{{{now}, "KeyUsages": ["KeyUsageClientAuth"]}}"#)));
    assert!(!verified(&chain, r#"{"CurrentTime": 1000000000000000000}"#));
    assert!(!verified(&format!("{LEAF}{ROOT}"), &format!("{{{now}}}")));
    assert!(!verified(ROOT, &format!("{{{now}}}")));
}

#[test]
fn certificates_keep_the_digits_of_their_numbers() {
    let shown = call("crypto.x509.parse_certificates", &[&text(LEAF)]);
    assert!(shown.contains(&format!("\"SerialNumber\": {}", 0xfedc_ba98_7654_3210_fedc_u128)));
    assert!(shown.contains("\"PublicKeyAlgorithm\": 3") && shown.contains("\"Curve\": {}"));
    for cut in (0..LEAF.len()).step_by(7) {
        let _any = call("crypto.x509.parse_certificates", &[&text(&LEAF.replace(LEAF.get(cut..=cut).unwrap(), ""))]);
    }
}

#[test]
fn digests_and_codes_are_those_of_the_standards() {
    assert_eq!(call("crypto.md5", &[r#""""#]), r#""d41d8cd98f00b204e9800998ecf8427e""#);
    let code = call("crypto.hmac.sha256", &[r#""what do ya want for nothing?""#, r#""Jefe""#]);
    assert_eq!(code, r#""5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843""#);
    assert_eq!(call("crypto.hmac.equal", &[&code, &code]), "true");
    assert_eq!(call("crypto.hmac.equal", &[&code, r#""5b""#]), "false");
}
