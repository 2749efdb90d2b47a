//! `io.jwt.decode_verify`: a token is decoded if its signature and its claims meet the constraints.

use std::cmp::Ordering;

use palisade_crypto::jose::{Algorithm, Header, KeySet, Material, Token};
use palisade_rego_value::{Number, Object, Value};

use super::{MAX_NESTING, read_header, read_keys, read_object};
use crate::{Answer, BuiltinError, Context, answer, operands};

/// What a token must meet.
struct Constraints {
    keys: Option<KeySet>,
    secret: String,
    algorithm: String,
    issuer: String,
    audience: String,
    /// Nanoseconds.
    time: f64,
}

impl Constraints {
    fn read(given: &Object, now: f64) -> Result<Self, String> {
        let none = String::new;
        let mut constraints =
            Self { keys: None, secret: none(), algorithm: none(), issuer: none(), audience: none(), time: now };
        for (name, value) in given.iter() {
            let name = name.to_key();
            let text =
                || value.as_str().map(str::to_owned).ok_or_else(|| format!("{name} constraint: must be a string"));
            match &*name {
                "cert" => constraints.keys = Some(read_keys(&text()?)?),
                "secret" => constraints.secret = text()?,
                "alg" => constraints.algorithm = text()?,
                "iss" => constraints.issuer = text()?,
                "aud" => constraints.audience = text()?,
                "time" => constraints.time = read_time(value)?,
                _ => return Err(format!("unknown token validation constraint: {name}")),
            }
        }
        match (&constraints.keys, constraints.secret.as_str()) {
            (Some(_), secret) if !secret.is_empty() => Err("duplicate key constraints".into()),
            (None, "") => Err("no key constraint".into()),
            _ => Ok(constraints),
        }
    }

    fn trusts(&self, header: &Header, token: Token<'_>, signature: &[u8]) -> bool {
        let Some(algorithm) = Algorithm::from_name(&header.algorithm) else { return false };
        let Some(keys) = &self.keys else {
            return algorithm.verify(&Material::Secret(self.secret.clone().into_bytes()), token.signed, signature);
        };
        keys.candidates(header).any(|key| algorithm.verify(&key.material, token.signed, signature))
    }

    /// Whether the claims are within the constraints.
    fn admits(&self, claims: &Value) -> Result<bool, String> {
        if !self.issuer.is_empty() && claims.get_str("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Ok(false);
        }
        let audience = match claims.get_str("aud") {
            None => self.audience.is_empty(),
            Some(Value::String(audience)) => **audience == *self.audience,
            Some(Value::Array(audiences)) => audiences.iter().any(|audience| audience.as_str() == Some(&self.audience)),
            Some(_) => false,
        };
        let time = Number::from(self.time / 1e9);
        let order = |name: &str| match claims.get_str(name) {
            None => Ok(None),
            Some(Value::Number(claim)) => Ok(Some(time.cmp(claim))),
            Some(_) => Err(format!("{name} value must be a number")),
        };
        if !audience {
            return Ok(false);
        }
        if order("exp")?.is_some_and(|order| order != Ordering::Less) {
            return Ok(false);
        }
        Ok(order("nbf")? != Some(Ordering::Less))
    }
}

fn read_time(value: &Value) -> Result<f64, String> {
    let time = value.as_f64().ok_or("token time constraint: must be a number")?;
    if time < 0.0 {
        return Err("token time constraint: must not be negative".into());
    }
    Ok(time)
}

pub(super) fn decode_verify(context: &mut Context<'_>, operands: &[Value]) -> Answer {
    let given = operands::object(operands, 2)?;
    let now = context.now.as_nanosecond() as f64;
    let constraints = Constraints::read(given, now).map_err(BuiltinError::Failed)?;
    let verified = verify(context, operands, &constraints)?;
    let (valid, header, claims) = match verified {
        Some((header, claims)) if constraints.admits(&claims).map_err(BuiltinError::Failed)? => (true, header, claims),
        _ => (false, Value::object(Vec::new()), Value::object(Vec::new())),
    };
    answer(Value::array(vec![Value::from(valid), header, claims]))
}

/// Header and claims of a token whose signature holds, and of the token within it where that is what it carries.
fn verify(
    context: &mut Context<'_>,
    operands: &[Value],
    constraints: &Constraints,
) -> Result<Option<(Value, Value)>, BuiltinError> {
    let mut text = operands::string(operands, 1)?.to_string();
    for _ in 0..MAX_NESTING {
        context.step(text.len() / 16)?;
        let token = Token::read(&text).map_err(BuiltinError::Failed)?;
        let shown = read_header(&token)?;
        let header = Header::read(&shown.to_model()).map_err(BuiltinError::Failed)?;
        if header.algorithm.is_empty() || header.unknown_is_critical {
            return Ok(None);
        }
        if !constraints.algorithm.is_empty() && constraints.algorithm != header.algorithm {
            return Ok(None);
        }
        let signature = token.signature().map_err(BuiltinError::Failed)?;
        if !constraints.trusts(&header, token, &signature) {
            return Ok(None);
        }
        let payload = token.payload().map_err(BuiltinError::Failed)?;
        if !header.content.eq_ignore_ascii_case("JWT") {
            let claims = read_object(&payload).map_err(BuiltinError::Failed)?;
            return Ok(Some((shown, claims)));
        }
        text = payload;
    }
    Err(too_deep())
}

pub(super) fn too_deep() -> BuiltinError {
    BuiltinError::Failed(format!("more than {MAX_NESTING} tokens are nested"))
}
