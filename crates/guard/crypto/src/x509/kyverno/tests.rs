//! Certificates made for these tests, decoded; the whole shape was compared with Go's own output.

use palisade_model::Value;

use super::decode;

const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIICFzCCAYCgAwIBAgIBKjANBgkqhkiG9w0BAQsFADAuMREwDwYDVQQKEwhQYWxp
c2FkZTEZMBcGA1UEAxMQcGFsaXNhZGUuZXhhbXBsZTAgFw0yNDAxMDIwMzA0MDVa
GA8yMDU0MDEwMjAzMDQwNVowLjERMA8GA1UEChMIUGFsaXNhZGUxGTAXBgNVBAMT
EHBhbGlzYWRlLmV4YW1wbGUwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBALRv
8Bi1ckttn8Ys4UfjZEr/n1qcb+0GYW7gfC6IZFdMNqNCzl3gKFj4hc9INMfT5U4U
Ikf+08j4DoGryPrSYaScHkkIfc/fnFTVsbJqH8n0Cb57+bV031h23UBdRMUBg2Bg
jPxeL8pKXRaiSUu1/Q/YE1fxhzXcayOGtbySdjyvAgMBAAGjQzBBMA4GA1UdDwEB
/wQEAwIHgDAMBgNVHRMBAf8EAjAAMCEGA1UdEQQaMBiCEHBhbGlzYWRlLmV4YW1w
bGWHBAoAAAEwDQYJKoZIhvcNAQELBQADgYEArK98tEtecDi8XamcMrPyPtIISIkA
ILkdoc8Aduj4tRzkmLOTA1CpDePopWEJwSDum5Pf72BayqbKLqsmd7tWIZJtYcnb
eVPjT7sH3S7DQeERQBtggclm2pzMR8qN4nHx29kB4xFv5n+N1/eLkbeQpvCYbfh0
bOUL4m2gCqTyaH0=
-----END CERTIFICATE-----
";

const REQUEST: &str = "\
-----BEGIN CERTIFICATE REQUEST-----
MIIBnDCCAQUCAQAwLjERMA8GA1UEChMIUGFsaXNhZGUxGTAXBgNVBAMTEHBhbGlz
YWRlLmV4YW1wbGUwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGBALRv8Bi1cktt
n8Ys4UfjZEr/n1qcb+0GYW7gfC6IZFdMNqNCzl3gKFj4hc9INMfT5U4UIkf+08j4
DoGryPrSYaScHkkIfc/fnFTVsbJqH8n0Cb57+bV031h23UBdRMUBg2BgjPxeL8pK
XRaiSUu1/Q/YE1fxhzXcayOGtbySdjyvAgMBAAGgLjAsBgkqhkiG9w0BCQ4xHzAd
MBsGA1UdEQQUMBKCEHBhbGlzYWRlLmV4YW1wbGUwDQYJKoZIhvcNAQELBQADgYEA
PVqUtdb7TWADQHMeCHqYOYZ6ooUeB1QbCrEup1u1pbOdpTJwLpexDlUZF7laPTxG
SR/jfdX3m8WDU+Y098QPvMFh4pDwmmaRo4PrGdFBHMldvAPmD7dw2PWQchTlAe6i
DF58DvNQF0bLoJXYI6GepACLHaIFOi3q7amc/G6uT3Y=
-----END CERTIFICATE REQUEST-----
";

fn texts(value: &Value, name: &str) -> Vec<String> {
    let items = value.get(name).and_then(Value::as_array).unwrap_or_default();
    items.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
fn certificates_have_the_shape_of_gos_structure() {
    let certificate = decode(CERTIFICATE).unwrap();
    assert_eq!(certificate.as_object().unwrap().len(), 52);
    assert_eq!(certificate.dig(["Subject", "CommonName"]), Some(&Value::from("palisade.example")));
    assert_eq!(texts(certificate.get("Issuer").unwrap(), "Organization"), ["Palisade"]);
    assert_eq!(certificate.get("SerialNumber"), Some(&Value::Float(42.0)));
    assert_eq!(certificate.get("NotAfter"), Some(&Value::from("2054-01-02T03:04:05Z")));
    assert_eq!(certificate.get("KeyUsage"), Some(&Value::Float(1.0)));
    assert_eq!(certificate.get("MaxPathLen"), Some(&Value::Float(-1.0)));
    assert_eq!(certificate.get("SignatureAlgorithm"), Some(&Value::Float(4.0)));
    assert_eq!(certificate.dig(["PublicKey", "E"]), Some(&Value::Float(65537.0)));
    assert_eq!(certificate.get("URIs"), Some(&Value::Null));
    assert_eq!(texts(&certificate, "DNSNames"), ["palisade.example"]);
    assert_eq!(texts(&certificate, "IPAddresses"), ["10.0.0.1"]);
}

#[test]
fn requests_have_the_shape_of_gos_structure() {
    let request = decode(REQUEST).unwrap();
    assert_eq!(request.as_object().unwrap().len(), 17);
    assert_eq!(request.dig(["Subject", "CommonName"]), Some(&Value::from("palisade.example")));
    assert_eq!(texts(&request, "DNSNames"), ["palisade.example"]);
    assert!(request.get("Attributes").and_then(|attributes| attributes.at(0)).is_some());
}

#[test]
fn what_is_no_certificate_is_refused() {
    assert_eq!(decode("nothing"), Err("failed to decode PEM block".to_owned()));
    let other = CERTIFICATE.replace("CERTIFICATE", "PUBLIC KEY");
    assert_eq!(decode(&other), Err("PEM block neither contains a CERTIFICATE or CERTIFICATE REQUEST".to_owned()));
    assert!(decode(&CERTIFICATE.replace("CERTIFICATE-", "CERTIFICATE REQUEST-")).is_err());
}

#[test]
fn damaged_certificates_neither_panic_nor_hang() {
    for text in [CERTIFICATE, REQUEST] {
        for at in 0..text.len() {
            for replacement in ["A", "/", "\n"] {
                let mut damaged = text.to_owned();
                damaged.replace_range(at..=at, replacement);
                let _any = decode(&damaged);
            }
            let _cut = decode(text.get(at..).unwrap_or_default());
        }
    }
}
