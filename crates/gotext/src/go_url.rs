//! URLs as Go's `net/url` reads them, which is what Kubernetes' `isURL`, the format `uri` and OPA's builtins mean by a URL.
//!
//! Resolving, normalising and fetching are deliberately absent.

mod query;

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use palisade_model::value::serde_json;
use palisade_model::{Value, json};

pub use query::{query_escape, query_unescape};

/// A URL in parts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Url {
    /// In lower case; empty for a relative reference.
    pub scheme: String,
    /// What follows the scheme where it is not a path: `mailto:a@b`.
    opaque: String,
    /// User and password, escaped as given.
    user: Option<String>,
    /// Host and port, unescaped.
    pub host: String,
    /// The path as given, escaped.
    raw_path: String,
    /// What follows `?`, as given.
    pub query: Option<String>,
    fragment: Option<String>,
    has_authority: bool,
}

/// What a part of a URL may hold unescaped besides letters, digits and `-_.~`.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Path,
    Host,
    Zone,
    User,
    Query,
    Fragment,
}

impl Url {
    /// An absolute URI or an absolute path, without a fragment.
    pub fn parse_request(text: &str) -> Result<Self, String> {
        parse(text, true).map_err(|error| format!("parse {text:?}: {error}"))
    }

    /// Any reference, with its fragment.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (rest, fragment) = text.split_once('#').map_or((text, None), |(rest, fragment)| (rest, Some(fragment)));
        let mut url = parse(rest, false).map_err(|error| format!("parse {text:?}: {error}"))?;
        if let Some(fragment) = fragment {
            unescape(fragment, Part::Fragment).map_err(|error| format!("parse {text:?}: {error}"))?;
        }
        url.fragment = fragment.filter(|fragment| !fragment.is_empty()).map(str::to_owned);
        Ok(url)
    }

    /// The path, escaped; as it was given where that is a valid way of escaping it.
    pub fn escaped_path(&self) -> String {
        let extra = |byte: u8| b"!$&'()*+,;=:@[]%".contains(&byte) || !must_escape(byte, Part::Path);
        if self.raw_path == "*" || self.raw_path.bytes().all(extra) {
            return self.raw_path.clone();
        }
        escape(&unescape(&self.raw_path, Part::Path).unwrap_or_default(), Part::Path)
    }

    /// The fields of Go's `url.URL`.
    pub fn to_fields(&self) -> Value {
        let path = unescape(&self.raw_path, Part::Path).unwrap_or_default();
        let raw_path = if escape(&path, Part::Path) == self.raw_path { "" } else { &self.raw_path };
        let fragment = self.fragment.as_deref().unwrap_or_default();
        let plain = unescape(fragment, Part::Fragment).unwrap_or_default();
        let raw_fragment = if escape(&plain, Part::Fragment) == fragment { "" } else { fragment };
        let omit_host = !self.scheme.is_empty() && !self.has_authority && self.opaque.is_empty();
        json!({
            "Scheme": self.scheme,
            "Opaque": self.opaque,
            "User": self.user.as_ref().map(|_| serde_json::Map::new()),
            "Host": self.host,
            "Path": into_text(&path),
            "RawPath": raw_path,
            "OmitHost": omit_host,
            "ForceQuery": self.query.as_deref() == Some(""),
            "RawQuery": self.query.as_deref().unwrap_or_default(),
            "Fragment": into_text(&plain),
            "RawFragment": raw_fragment,
        })
    }

    /// Host without brackets, and port.
    pub fn host_and_port(&self) -> (&str, &str) {
        let (host, port) = match self.host.rfind(':').and_then(|colon| self.host.split_at_checked(colon)) {
            Some((host, port)) if is_optional_port(port) => (host, port.trim_start_matches(':')),
            _ => (self.host.as_str(), ""),
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        (bare.unwrap_or(host), port)
    }

    /// The query's values by key, unescaped; pairs that are malformed are left out.
    pub fn query_pairs(&self) -> BTreeMap<String, Vec<String>> {
        let mut pairs = BTreeMap::<String, Vec<String>>::new();
        let query = self.query.as_deref().unwrap_or_default();
        for pair in query.split('&').filter(|pair| !pair.is_empty() && !pair.contains(';')) {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let text =
                |part| unescape(part, Part::Query).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
            if let (Some(key), Some(value)) = (text(key), text(value)) {
                pairs.entry(key).or_default().push(value);
            }
        }
        pairs
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.scheme.is_empty() {
            write!(f, "{}:", self.scheme)?;
        }
        if self.opaque.is_empty() {
            if self.has_authority && !(self.host.is_empty() && self.raw_path.is_empty() && self.user.is_none()) {
                f.write_str("//")?;
            }
            if let Some(user) = &self.user {
                write!(f, "{user}@")?;
            }
            f.write_str(&escape(self.host.as_bytes(), Part::Host))?;
            f.write_str(&self.escaped_path())?;
        } else {
            f.write_str(&self.opaque)?;
        }
        if let Some(query) = &self.query {
            write!(f, "?{query}")?;
        }
        match &self.fragment {
            Some(fragment) => write!(f, "#{fragment}"),
            None => Ok(()),
        }
    }
}

fn parse(text: &str, request: bool) -> Result<Url, String> {
    if text.bytes().any(|byte| byte.is_ascii_control()) {
        return Err("net/url: invalid control character in URL".into());
    }
    if text.is_empty() && request {
        return Err("empty url".into());
    }
    if text == "*" {
        return Ok(Url { raw_path: "*".into(), ..Url::default() });
    }
    let (scheme, rest) = split_scheme(text)?;
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query.to_owned())));
    let mut url = Url { scheme: scheme.to_ascii_lowercase(), query, ..Url::default() };
    if !rest.starts_with('/') {
        if !url.scheme.is_empty() {
            return Ok(Url { opaque: rest.to_owned(), ..url });
        }
        if request {
            return Err("invalid URI for request".into());
        }
        if rest.split('/').next().is_some_and(|segment| segment.contains(':')) {
            return Err("first path segment in URL cannot contain colon".into());
        }
    }
    let mut path = rest;
    if (!url.scheme.is_empty() || (!request && !rest.starts_with("///")))
        && let Some(authority) = rest.strip_prefix("//")
    {
        let slash = authority.find('/').unwrap_or(authority.len());
        let (authority, tail) = authority.split_at_checked(slash).unwrap_or((authority, ""));
        url.has_authority = true;
        (url.user, url.host) = parse_authority(&url.scheme, authority)?;
        path = tail;
    }
    unescape(path, Part::Path)?;
    Ok(Url { raw_path: path.to_owned(), ..url })
}

fn split_scheme(text: &str) -> Result<(&str, &str), String> {
    for (at, c) in text.char_indices() {
        match c {
            'a'..='z' | 'A'..='Z' => {}
            '0'..='9' | '+' | '-' | '.' if at > 0 => {}
            ':' if at == 0 => return Err("missing protocol scheme".into()),
            ':' => return Ok(text.split_once(':').unwrap_or(("", text))),
            _ => break,
        }
    }
    Ok(("", text))
}

fn parse_authority(scheme: &str, authority: &str) -> Result<(Option<String>, String), String> {
    let Some((user, host)) = authority.rsplit_once('@') else { return Ok((None, parse_host(scheme, authority)?)) };
    let host = parse_host(scheme, host)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._:~!$&'()*+,;=%@".contains(c);
    if !user.chars().all(allowed) {
        return Err("net/url: invalid userinfo".into());
    }
    unescape(user, Part::User)?;
    Ok((Some(user.to_owned()), host))
}

fn parse_host(scheme: &str, host: &str) -> Result<String, String> {
    match host.rfind('[') {
        Some(0) => return parse_literal(host),
        Some(_) => return Err("invalid IP-literal".into()),
        None => {}
    }
    // Only web URLs are strict about further colons in front of the port.
    let colon = if matches!(scheme, "http" | "https") { host.find(':') } else { host.rfind(':') };
    if let Some(port) = colon.and_then(|colon| host.get(colon..))
        && !is_optional_port(port)
    {
        return Err(format!("invalid port {port:?} after host"));
    }
    unescape(host, Part::Host).map(|host| into_text(&host))
}

/// An IPv6 address in brackets, with an optional zone and port.
fn parse_literal(host: &str) -> Result<String, String> {
    let Some((inside, port)) = host.rsplit_once(']') else { return Err("missing ']' in host".into()) };
    if !is_optional_port(port) {
        return Err(format!("invalid port {port:?} after host"));
    }
    let inside = inside.strip_prefix('[').unwrap_or(inside);
    let (address, zone) = match inside.find("%25").and_then(|at| inside.split_at_checked(at)) {
        Some((address, zone)) => (address, into_text(&unescape(zone, Part::Zone)?)),
        None => (inside, String::new()),
    };
    let address = into_text(&unescape(address, Part::Host)?);
    match address.parse::<IpAddr>() {
        Ok(IpAddr::V4(_)) => Err("invalid IP-literal".into()),
        Err(_) => Err(format!("invalid host: ParseAddr({address:?})")),
        Ok(IpAddr::V6(_)) if zone == "%" => Err("invalid host: zone must be a non-empty string".into()),
        Ok(IpAddr::V6(_)) => Ok(format!("[{address}{zone}]{port}")),
    }
}

fn is_optional_port(port: &str) -> bool {
    port.is_empty() || port.strip_prefix(':').is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()))
}

fn into_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn unescape(text: &str, part: Part) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        match first {
            b'%' => {
                let (byte, tail) = unescape_byte(tail, part)?;
                bytes.push(byte);
                rest = tail;
            }
            b'+' if part == Part::Query => bytes.push(b' '),
            byte if matches!(part, Part::Host | Part::Zone) && byte.is_ascii() && must_escape(*byte, part) => {
                return Err(format!("invalid character {:?} in host name", char::from(*byte).to_string()));
            }
            byte => bytes.push(*byte),
        }
    }
    Ok(bytes)
}

fn unescape_byte(tail: &[u8], part: Part) -> Result<(u8, &[u8]), String> {
    let wrong = |length: usize| {
        let shown = String::from_utf8_lossy(tail.get(..length.min(tail.len())).unwrap_or_default()).into_owned();
        format!("invalid URL escape \"%{shown}\"")
    };
    let [high, low, rest @ ..] = tail else { return Err(wrong(2)) };
    let digit = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let (Some(high), Some(low)) = (digit(high), digit(low)) else { return Err(wrong(2)) };
    let byte = high << 4 | low;
    let refused = match part {
        // In a host only bytes beyond ASCII are escaped, and the percent sign of a zone.
        Part::Host => high < 8 && byte != b'%',
        Part::Zone => byte != b'%' && byte != b' ' && must_escape(byte, Part::Host),
        _ => false,
    };
    if refused { Err(wrong(2)) } else { Ok((byte, rest)) }
}

fn must_escape(byte: u8, part: Part) -> bool {
    if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
        return false;
    }
    let allowed: &[u8] = match part {
        Part::Host | Part::Zone => b"!$&'()*+,;=:[]<>\"",
        Part::Path => b"$&+,/:;=@",
        Part::User => b"$&+,;=",
        Part::Query => b"",
        Part::Fragment => b"!()*$&+,/:;=?@",
    };
    !allowed.contains(&byte)
}

fn escape(bytes: &[u8], part: Part) -> String {
    let mut text = String::with_capacity(bytes.len());
    for byte in bytes {
        if must_escape(*byte, part) {
            text.push('%');
            let digits = [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
            text.extend(digits.into_iter().flatten().map(|digit| digit.to_ascii_uppercase()));
        } else {
            text.push(char::from(*byte));
        }
    }
    text
}
