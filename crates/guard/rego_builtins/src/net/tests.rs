//! What ranges hold and how they merge, against answers of OPA.

use super::cidr::{Cidr, merge};

fn merged(texts: &[&str]) -> Vec<String> {
    let read = |text: &&str| Cidr::parse(text).or_else(|| Cidr::parse_address(text)?.classful());
    merge(texts.iter().filter_map(read).collect()).iter().map(ToString::to_string).collect()
}

#[test]
fn ranges_hold_what_shares_their_prefix() {
    let range = |text| Cidr::parse(text).unwrap();
    assert!(range("10.0.0.0/8").contains(range("10.200.0.0/16")));
    assert!(!range("10.200.0.0/16").contains(range("10.0.0.0/8")));
    assert!(!range("::/0").contains(range("10.0.0.0/8")));
    assert!(range("::/0").contains(range("ff00::/8")));
    assert_eq!(
        range("192.168.1.7/30").addresses().collect::<Vec<_>>().join(" "),
        "192.168.1.4 192.168.1.5 192.168.1.6 192.168.1.7"
    );
    assert_eq!(range("::ffff:10.0.0.0/104").to_string(), "10.0.0.0/8");
    for text in ["10.0.0.0/33", "10.0.0.0/+8", "10.0.0/8", "::/129", "/8", "10.0.0.0/"] {
        assert_eq!(Cidr::parse(text), None, "{text}");
    }
}

#[test]
fn adjacent_and_overlapping_ranges_merge() {
    assert_eq!(merged(&["10.0.1.0/24", "10.0.0.0/24", "10.0.0.7/32"]), ["10.0.0.0/23"]);
    assert_eq!(merged(&["10.0.1.0/24", "10.0.2.0/24"]), ["10.0.1.0/24", "10.0.2.0/24"]);
    assert_eq!(merged(&["0.0.0.0/1", "128.0.0.0/1", "::/1", "8000::/1"]), ["0.0.0.0/0", "::/0"]);
    assert_eq!(merged(&["192.0.2.112", "192.0.2.116/31"]), ["192.0.2.0/24"]);
    assert_eq!(merged(&["192.0.128.7"]), ["192.0.128.7/24"]);
}
