//! What a provider's identity token says of a person, after it has been checked: signature, issuer, audience, times, nonce
//! (OpenID Connect Core 1.0, section 3.1.3.7).

use jiff::{SignedDuration, Timestamp};
use palisade_store::Login;
use serde::Deserialize;
use serde_json::{Map, Value};
use subtle::ConstantTimeEq as _;

use super::signature::KeySet;
use crate::config::OidcConfig;

/// Groups of one person that are looked at.
const MAX_GROUPS: usize = 1000;
/// Longest subject, name, address or group, in characters.
const MAX_TEXT: usize = 256;

/// Why an identity token is not believed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Rejection {
    /// It is signed by none of the provider's keys as they are known; the keys may have changed, even under their old
    /// identifiers.
    #[error("the identity token is signed by none of the provider's keys")]
    UnknownKey,
    /// Anything else.
    #[error("the identity token does not hold: {0}")]
    Invalid(String),
}

/// The claims that are looked at. Those of which OpenID Connect says that they must be there, have to be.
#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Audience,
    azp: Option<String>,
    exp: f64,
    iat: f64,
    nonce: Option<String>,
    name: Option<String>,
    preferred_username: Option<String>,
    email: Option<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

/// Whom a token is for.
#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Some(Vec<String>),
}

impl Audience {
    /// Whether it is `client` and nobody else: other audiences could show the token here as their own.
    fn is_only(&self, client: &str) -> bool {
        match self {
            Self::One(audience) => audience == client,
            Self::Some(audiences) => !audiences.is_empty() && audiences.iter().all(|audience| audience == client),
        }
    }
}

/// Checks `token` as of `now` and returns what it says.
pub(super) fn check(
    token: &str,
    nonce: &str,
    config: &OidcConfig,
    keys: &KeySet,
    now: Timestamp,
) -> Result<Login, Rejection> {
    let claims: Claims = serde_json::from_slice(&keys.verify(token)?)
        .map_err(|error| Rejection::Invalid(format!("its claims cannot be read: {error}")))?;
    match claims.untrue(nonce, config, now) {
        Some(why) => Err(Rejection::Invalid(why.into())),
        None => login(claims, config),
    }
}

impl Claims {
    /// What is wrong with them.
    fn untrue(&self, nonce: &str, config: &OidcConfig, now: Timestamp) -> Option<&'static str> {
        let (now, skew) = (now.as_duration(), SignedDuration::try_from(config.clock_skew).unwrap_or_default());
        let (early, late) = ((now - skew).as_secs_f64(), (now + skew).as_secs_f64());
        let said_nonce = self.nonce.as_deref().unwrap_or_default();
        let foreign = |party: &str| party != config.client_id;
        let checks = [
            (self.iss != config.issuer_text(), "it comes from another issuer"),
            (!self.aud.is_only(&config.client_id), "it is for another client, or for others too"),
            (self.azp.as_deref().is_some_and(foreign), "it was issued to another client"),
            (self.exp <= early, "it has expired"),
            (self.iat > late, "it was issued in the future"),
            (!bool::from(said_nonce.as_bytes().ct_eq(nonce.as_bytes())), "it answers another login"),
        ];
        checks.into_iter().find_map(|(wrong, why)| wrong.then_some(why))
    }
}

fn login(claims: Claims, config: &OidcConfig) -> Result<Login, Rejection> {
    let subject = claims.sub;
    if subject.is_empty() || subject.chars().count() > MAX_TEXT {
        return Err(Rejection::Invalid(format!("its subject is empty or longer than {MAX_TEXT} characters")));
    }
    let name = claims.name.or(claims.preferred_username).or_else(|| claims.email.clone());
    let display_name = shortened(name.as_deref().filter(|name| !name.trim().is_empty()).unwrap_or(&subject));
    Ok(Login {
        issuer: config.issuer_text().to_owned(),
        display_name,
        email: claims.email.as_deref().map(shortened),
        groups: groups(claims.others.get(&config.groups_claim)),
        subject,
    })
}

/// The groups; what is not text is no group.
fn groups(claim: Option<&Value>) -> Vec<String> {
    let listed = match claim {
        Some(Value::Array(items)) => items.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let texts = listed.iter().filter_map(Value::as_str).filter(|text| !text.is_empty());
    texts.filter(|text| text.chars().count() <= MAX_TEXT).take(MAX_GROUPS).map(str::to_owned).collect()
}

fn shortened(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(MAX_TEXT).collect()
}
