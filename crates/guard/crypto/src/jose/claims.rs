//! The claims of a token, and whether they are for who reads them (OpenID Connect Core, 3.1.3.7).

use jiff::Timestamp;
use palisade_model::Value;

use super::TokenError;

/// The claims of a token whose signature holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Claims(pub(super) Value);

/// What is asked of claims.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Who must have issued the token.
    pub issuer: &'a str,
    /// For whom it must be: the identifier of the client.
    pub audience: &'a str,
    /// What the client asked the provider to repeat, if it did.
    pub nonce: Option<&'a str>,
    /// The present moment.
    pub now: Timestamp,
    /// Seconds that the clocks of the two sides may differ.
    pub leeway: u32,
}

impl Claims {
    /// A claim.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A claim that is text.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).and_then(Value::as_str)
    }

    /// Whether the token is for who asks, and in its time. A token without end is refused.
    pub fn check(&self, expected: &Expected<'_>) -> Result<(), TokenError> {
        let wrong = |claim, what: String| Err(TokenError::Claim(claim, what));
        if self.text("iss") != Some(expected.issuer) {
            return wrong("iss", format!("must be `{}`", expected.issuer));
        }
        self.check_audience(expected.audience)?;
        if let Some(nonce) = expected.nonce
            && self.text("nonce") != Some(nonce)
        {
            return wrong("nonce", "is not the one that was asked for".to_owned());
        }
        let (now, leeway) = (expected.now.as_second() as f64, f64::from(expected.leeway));
        match self.moment("exp")? {
            None => return wrong("exp", "is missing".to_owned()),
            Some(end) if now >= end + leeway => return wrong("exp", "is past".to_owned()),
            Some(_) => {}
        }
        match self.moment("nbf")? {
            Some(start) if now < start - leeway => wrong("nbf", "is to come".to_owned()),
            _ => Ok(()),
        }
    }

    /// The audience is one name or several; with several, the party that the token was issued to must be named.
    fn check_audience(&self, audience: &str) -> Result<(), TokenError> {
        let is_among = match self.get("aud") {
            Some(Value::Array(names)) => names.iter().any(|name| name.as_str() == Some(audience)),
            Some(name) => name.as_str() == Some(audience),
            None => false,
        };
        if !is_among {
            return Err(TokenError::Claim("aud", format!("must name `{audience}`")));
        }
        let several = self.get("aud").and_then(Value::as_array).is_some_and(|names| names.len() > 1);
        match self.text("azp") {
            Some(party) if party != audience => Err(TokenError::Claim("azp", format!("must be `{audience}`"))),
            None if several => Err(TokenError::Claim("azp", "is missing beside several audiences".to_owned())),
            _ => Ok(()),
        }
    }

    fn moment(&self, claim: &'static str) -> Result<Option<f64>, TokenError> {
        let Some(value) = self.get(claim) else { return Ok(None) };
        let number = value.as_f64().ok_or_else(|| TokenError::Claim(claim, "must be a number".to_owned()))?;
        Ok(Some(number))
    }
}
