//! What a provider's identity token says of a person, after it has been checked: signature, issuer, audience, times,
//! nonce.

use std::time::SystemTime;

use jiff::Timestamp;
use openidconnect::core::{
    CoreAuthDisplay, CoreAuthPrompt, CoreErrorResponseType, CoreGenderClaim, CoreJsonWebKey, CoreJsonWebKeySet,
    CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm, CoreRevocableToken, CoreRevocationErrorResponse,
    CoreTokenIntrospectionResponse, CoreTokenType,
};
use openidconnect::{
    AdditionalClaims, ClaimsVerificationError, ClientId, EmptyExtraTokenFields, IdToken, IdTokenClaims, IdTokenFields,
    IdTokenVerifier, Nonce, SignatureVerificationError, StandardErrorResponse, StandardTokenResponse,
};
use palisade_store::Login;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::identity::config::OidcConfig;

/// Groups of one person that are looked at.
const MAX_GROUPS: usize = 1000;
/// Longest subject, name, address or group, in characters.
const MAX_TEXT: usize = 256;
/// Signatures that only the provider can make. A secret that both sides know (`HS256`) and none at all (`none`) are not
/// among them, whatever the provider's metadata say.
const ALGORITHMS: [CoreJwsSigningAlgorithm; 9] = [
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
    CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
    CoreJwsSigningAlgorithm::RsaSsaPssSha256,
    CoreJwsSigningAlgorithm::RsaSsaPssSha384,
    CoreJwsSigningAlgorithm::RsaSsaPssSha512,
    CoreJwsSigningAlgorithm::EcdsaP256Sha256,
    CoreJwsSigningAlgorithm::EcdsaP384Sha384,
    CoreJwsSigningAlgorithm::EdDsa,
];

/// Claims besides the standard ones, among them the groups.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub(super) struct Others {
    #[serde(flatten)]
    all: Map<String, Value>,
}

impl AdditionalClaims for Others {}

pub(super) type Token = IdToken<Others, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;
type Fields = IdTokenFields<
    Others,
    EmptyExtraTokenFields,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJwsSigningAlgorithm,
>;
/// The protocol's client, reading [`Others`].
pub(super) type Client<Auth, Device, Introspection, Revocation, Exchange, UserInfo> = openidconnect::Client<
    Others,
    CoreAuthDisplay,
    CoreGenderClaim,
    CoreJweContentEncryptionAlgorithm,
    CoreJsonWebKey,
    CoreAuthPrompt,
    StandardErrorResponse<CoreErrorResponseType>,
    StandardTokenResponse<Fields, CoreTokenType>,
    CoreTokenIntrospectionResponse,
    CoreRevocableToken,
    CoreRevocationErrorResponse,
    Auth,
    Device,
    Introspection,
    Revocation,
    Exchange,
    UserInfo,
>;

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

impl From<ClaimsVerificationError> for Rejection {
    fn from(error: ClaimsVerificationError) -> Self {
        match error {
            ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey | SignatureVerificationError::CryptoError(_),
            ) => Self::UnknownKey,
            ClaimsVerificationError::SignatureVerification(cause) => Self::Invalid(cause.to_string()),
            other => Self::Invalid(other.to_string()),
        }
    }
}

/// Checks `token` as of `now` and returns what it says.
pub(super) fn check(
    token: &Token,
    nonce: &Nonce,
    config: &OidcConfig,
    keys: &CoreJsonWebKeySet,
    now: Timestamp,
) -> Result<Login, Rejection> {
    let now = SystemTime::from(now);
    let (early, late) = (now - config.clock_skew, now + config.clock_skew);
    let client = ClientId::new(config.client_id.clone());
    let verifier = IdTokenVerifier::new_public_client(client.clone(), config.issuer.clone(), keys.clone())
        .set_allowed_algs(ALGORITHMS)
        .set_time_fn(move || early.into())
        .set_issue_time_verifier_fn(move |issued| {
            if SystemTime::from(issued) > late { Err("it was issued in the future".into()) } else { Ok(()) }
        });
    let claims = token.claims(&verifier, nonce)?;
    if claims.authorized_party().is_some_and(|party| *party != client) {
        return Err(Rejection::Invalid("it was issued to another client".into()));
    }
    login(claims, config)
}

fn login(claims: &IdTokenClaims<Others, CoreGenderClaim>, config: &OidcConfig) -> Result<Login, Rejection> {
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.chars().count() > MAX_TEXT {
        return Err(Rejection::Invalid(format!("its subject is empty or longer than {MAX_TEXT} characters")));
    }
    let name = claims.name().and_then(|name| name.get(None)).map(|name| name.as_str());
    let name = name.or_else(|| claims.preferred_username().map(|name| name.as_str()));
    let email = claims.email().map(|email| email.as_str());
    let display_name = name.or(email).filter(|name| !name.trim().is_empty()).unwrap_or(subject);
    Ok(Login {
        issuer: config.issuer_text().to_owned(),
        subject: subject.to_owned(),
        display_name: shortened(display_name),
        email: email.map(shortened),
        groups: groups(claims.additional_claims().all.get(&config.groups_claim)),
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
