//! Cookies of sessions and logins, and the check that a request with one was not caused by another site.

use http::request::Parts;
use http::{HeaderMap, HeaderValue, header};
use url::Url;

use super::refusal::Refusal;

/// Longest `Cookie` header that is read, in bytes.
const MAX_COOKIES: usize = 16 << 10;

/// Which cookie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cookie {
    /// The session.
    Session,
    /// The login that is under way in this browser.
    Login,
}

impl Cookie {
    /// Its name. `__Host-` makes browsers accept it only over TLS, from this host and for all paths, so that no
    /// neighbouring host can plant one; without TLS browsers would refuse that name.
    pub(super) const fn name(self, tls: bool) -> &'static str {
        match (self, tls) {
            (Self::Session, true) => "__Host-palisade-session",
            (Self::Session, false) => "palisade-session",
            (Self::Login, true) => "__Host-palisade-login",
            (Self::Login, false) => "palisade-login",
        }
    }

    /// The header that sets it for `seconds`.
    pub(super) fn set(self, tls: bool, value: &str, seconds: u64) -> Result<HeaderValue, Refusal> {
        let (name, secure) = (self.name(tls), if tls { "; Secure" } else { "" });
        let mut header =
            HeaderValue::try_from(format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"))
                .map_err(|error| Refusal::internal("setting a cookie", &error))?;
        header.set_sensitive(true);
        Ok(header)
    }

    /// The header that makes browsers forget it.
    pub(super) fn clear(self, tls: bool) -> HeaderValue {
        HeaderValue::from_static(match (self, tls) {
            (Self::Session, true) => "__Host-palisade-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
            (Self::Session, false) => "palisade-session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
            (Self::Login, true) => "__Host-palisade-login=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure",
            (Self::Login, false) => "palisade-login=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax",
        })
    }

    /// Its value in a request. Two of the name are none: one of them was planted.
    pub(super) fn read(self, tls: bool, headers: &HeaderMap) -> Option<&str> {
        let lines = headers.get_all(header::COOKIE).iter().filter(|line| line.len() <= MAX_COOKIES);
        let pairs = lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(';'));
        let mut values = pairs
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(name, _)| *name == self.name(tls))
            .map(|(_, value)| value);
        let value = values.next()?;
        values.next().is_none().then_some(value)
    }
}

/// Refuses a request that changes something and was not sent by a page of this server.
///
/// Browsers say so in `Sec-Fetch-Site`; older ones at least in `Origin`. A browser that says neither is refused, because
/// the cookie alone says nothing about who caused the request.
pub(super) fn same_origin(parts: &Parts, home: &Url) -> Result<(), Refusal> {
    if parts.method.is_safe() {
        return Ok(());
    }
    let same = match (parts.headers.get("sec-fetch-site"), parts.headers.get(header::ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => origin.as_bytes() == home.origin().ascii_serialization().as_bytes(),
        (None, None) => false,
    };
    if same { Ok(()) } else { Err(Refusal::CrossSite) }
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    fn request(method: &str, headers: &[(&str, &str)]) -> Parts {
        let request = Request::builder().method(method).uri("/");
        let request = headers.iter().fold(request, |request, (name, value)| request.header(*name, *value));
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn changes_have_to_come_from_our_own_pages() {
        let home = Url::parse("https://palisade.example.com/").unwrap();
        let allowed = |method, headers: &[_]| same_origin(&request(method, headers), &home).is_ok();
        assert!(allowed("GET", &[("sec-fetch-site", "cross-site")]));
        assert!(allowed("POST", &[("sec-fetch-site", "same-origin")]));
        assert!(allowed("DELETE", &[("origin", "https://palisade.example.com")]));
        assert!(!allowed("POST", &[]));
        assert!(!allowed("POST", &[("sec-fetch-site", "same-site")]));
        assert!(!allowed("POST", &[("origin", "https://palisade.example.com.evil.example")]));
        assert!(!allowed("POST", &[("origin", "null")]));
        let both = [("sec-fetch-site", "cross-site"), ("origin", "https://palisade.example.com")];
        assert!(!allowed("POST", &both));
    }

    #[test]
    fn a_planted_second_cookie_invalidates_both() {
        let read = |cookies: &str| {
            Cookie::Session.read(true, &request("GET", &[("cookie", cookies)]).headers).map(str::to_owned)
        };
        assert_eq!(read("a=b; __Host-palisade-session=value").as_deref(), Some("value"));
        assert_eq!(read("__Host-palisade-session=one; __Host-palisade-session=two"), None);
        assert_eq!(read("palisade-session=value"), None);
    }

    #[test]
    fn cookies_are_out_of_reach_of_scripts_and_other_sites() {
        let header = Cookie::Session.set(true, "value", 60).unwrap();
        let text = "__Host-palisade-session=value; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(header.to_str().unwrap(), text);
    }
}
