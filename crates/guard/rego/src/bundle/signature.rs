//! `.signatures.json`: who signed a bundle, and whether its files are what was signed.
//!
//! The token is judged by the builtin of its algorithm, with the key that the caller trusts: neither the key nor the
//! algorithm is taken from the bundle. Structured files are hashed as compact JSON with sorted keys and numbers as they
//! are written, so that white space does not matter.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use palisade_crypto::Hash;
use palisade_model::{Budget, hex};
use palisade_rego_builtins::{Context, Memory, Offline};
use palisade_rego_value::Value;

use super::{File, MANIFEST, SIGNATURES, structured};
use crate::builtins;
use crate::machine::Limits;

/// A key to verify with.
#[derive(Clone, Debug)]
pub struct Key {
    /// A public key or certificate in PEM, a JSON Web Key, or the secret of an HMAC.
    pub material: String,
    /// The algorithm that goes with it, such as `RS256`.
    pub algorithm: String,
}

/// What is asked of a bundle's signature.
#[derive(Clone, Debug, Default)]
pub enum Verification {
    /// The bundle must not be signed: nobody has said which key to trust.
    #[default]
    Unsigned,
    /// A signature is not looked at.
    Skip,
    /// The bundle must be signed.
    Signed {
        /// Trusted keys by their names.
        keys: BTreeMap<String, Key>,
        /// The name of the key to use, instead of the one that the signature names.
        key: Option<String>,
        /// The scope that must be signed for.
        scope: String,
    },
}

/// Judges the signature of a bundle's files; the error says what does not hold.
pub(super) fn verify(files: &[File], verification: &Verification) -> Result<(), String> {
    let signatures = files.iter().find(|file| file.path == SIGNATURES);
    match (signatures, verification) {
        (_, Verification::Skip) | (None, Verification::Unsigned) => Ok(()),
        (Some(_), Verification::Unsigned) => Err("the bundle is signed, but no key is configured to verify it".into()),
        (None, Verification::Signed { .. }) => Err("the bundle is not signed".into()),
        (Some(signatures), Verification::Signed { keys, key, scope }) => {
            let token = token(signatures)?;
            let payload = payload(&token, keys, key.as_deref())?;
            let signed_scope = payload.as_object().and_then(|it| it.get_str("scope")?.as_str()).unwrap_or_default();
            if signed_scope != scope {
                return Err(format!("the bundle is signed for the scope `{signed_scope}`, not for `{scope}`"));
            }
            check_files(&payload, files)
        }
    }
}

/// The one token of the file.
fn token(signatures: &File) -> Result<String, String> {
    let value = read_json(&signatures.bytes).map_err(|error| format!("`{SIGNATURES}` is not JSON: {error}"))?;
    let object = value.as_object().ok_or_else(|| format!("`{SIGNATURES}` is not an object"))?;
    if let Some(plugin) = object.get_str("plugin").and_then(Value::as_str).filter(|plugin| *plugin != "_default") {
        return Err(format!("the bundle is signed by the plugin `{plugin}`, which is not supported"));
    }
    match object.get_str("signatures").and_then(Value::as_array) {
        Some([Value::String(token)]) => Ok((**token).to_owned()),
        _ => Err(format!("`{SIGNATURES}` does not hold exactly one signature")),
    }
}

/// The content of a token whose signature holds.
fn payload(token: &str, keys: &BTreeMap<String, Key>, wanted: Option<&str>) -> Result<Value, String> {
    let mut parts = token.split('.');
    let (Some(header), Some(payload), Some(_), None) = (parts.next(), parts.next(), parts.next(), parts.next()) else {
        return Err("the signature is not a JSON Web Token".to_owned());
    };
    let (header, payload) = (read_part(header)?, read_part(payload)?);
    let text = |value: &Value, name: &str| Some(value.as_object()?.get_str(name)?.as_str()?.to_owned());
    let named = wanted.map(str::to_owned).or_else(|| text(&header, "kid")).or_else(|| text(&payload, "keyid"));
    let key = match &named {
        Some(name) => {
            keys.get(name).ok_or_else(|| format!("the bundle is signed with the key `{name}`, which is not trusted"))?
        }
        None if keys.len() == 1 => keys.values().next().ok_or("no key is configured")?,
        None => return Err("the signature does not tell which of the keys it was made with".to_owned()),
    };
    let algorithm = text(&header, "alg").unwrap_or_default();
    if algorithm != key.algorithm {
        return Err(format!("the bundle is signed by `{algorithm}`, and the key is one for `{}`", key.algorithm));
    }
    if signature_holds(token, key)? {
        Ok(payload)
    } else {
        Err("the signature was not made with the trusted key".to_owned())
    }
}

fn read_part(part: &str) -> Result<Value, String> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|error| format!("the signature is damaged: {error}"))?;
    read_json(&bytes).map_err(|error| format!("the signature is damaged: {error}"))
}

fn signature_holds(token: &str, key: &Key) -> Result<bool, String> {
    let builtin = format!("io.jwt.verify_{}", key.algorithm.to_ascii_lowercase());
    let operands = [Value::string(token), Value::string(key.material.as_str())];
    Ok(matches!(call(&builtin, &operands)?, Some(Value::Bool(true))))
}

pub(super) fn call(name: &str, operands: &[Value]) -> Result<Option<Value>, String> {
    let builtin = builtins::find(name).ok_or_else(|| format!("the algorithm of the key is not known (`{name}`)"))?;
    let Limits { steps, bytes, .. } = Limits::default();
    let mut context = Context {
        now: Timestamp::UNIX_EPOCH,
        seed: 0,
        host: &Offline,
        budget: &mut Budget { steps, bytes },
        memory: &mut Memory::default(),
    };
    (builtin.run)(&mut context, operands).map_err(|error| error.to_string())
}

/// JSON with its numbers as they are written.
pub(super) fn read_json(bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes).map_err(|error| error.to_string())?;
    call("json.unmarshal", &[Value::string(text)])?.ok_or_else(|| "it holds no value".to_owned())
}

/// Each file must be listed with the hash that it has, and each listed file must be there.
fn check_files(payload: &Value, files: &[File]) -> Result<(), String> {
    let listed = payload.as_object().and_then(|payload| payload.get_str("files")?.as_array());
    let mut missing: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    for entry in listed.ok_or("the signature lists no files")? {
        let text = |name: &str| entry.as_object().and_then(|entry| entry.get_str(name)?.as_str());
        let (Some(name), Some(hash), Some(algorithm)) = (text("name"), text("hash"), text("algorithm")) else {
            return Err("the signature lists a file without name, hash or algorithm".to_owned());
        };
        if missing.insert(name.trim_start_matches('/'), (hash, algorithm)).is_some() {
            return Err(format!("the signature lists `{name}` twice"));
        }
    }
    for file in files.iter().filter(|file| file.path != SIGNATURES) {
        let Some((hash, algorithm)) = missing.remove(file.path.as_str()) else {
            return Err(format!("`{}` is not signed", file.path));
        };
        let found = digest(file, algorithm)?;
        if !found.eq_ignore_ascii_case(hash) {
            return Err(format!("`{}` was changed after it was signed", file.path));
        }
    }
    match missing.keys().next() {
        Some(name) => Err(format!("`{name}` is signed, but is not in the bundle")),
        None => Ok(()),
    }
}

fn digest(file: &File, algorithm: &str) -> Result<String, String> {
    let canonical;
    let bytes = if file.path == MANIFEST || structured(&file.path) {
        let value = super::read_data(file).map_err(|()| format!("`{}` cannot be read", file.path))?;
        let mut text = String::new();
        canonical_json(&value, &mut text);
        canonical = text;
        canonical.as_bytes()
    } else {
        &file.bytes
    };
    let hash = match algorithm {
        "MD5" => Hash::Md5,
        "SHA-1" => Hash::Sha1,
        "SHA-224" => Hash::Sha224,
        "SHA-256" => Hash::Sha256,
        "SHA-384" => Hash::Sha384,
        "SHA-512" => Hash::Sha512,
        "SHA-512-224" => Hash::Sha512Of224,
        "SHA-512-256" => Hash::Sha512Of256,
        _ => return Err(format!("the hash `{algorithm}` of `{}` is not known", file.path)),
    };
    Ok(hex(&hash.digest(&[bytes])))
}

/// Compact JSON with sorted keys; `<`, `>` and `&` stay as they are.
fn canonical_json(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (position, item) in items.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                canonical_json(item, text);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (position, (key, value)) in members.iter().enumerate() {
                text.push_str(if position == 0 { "" } else { "," });
                canonical_json(key, text);
                text.push(':');
                canonical_json(value, text);
            }
            text.push('}');
        }
        Value::String(string) => {
            text.push('"');
            for piece in string.split_inclusive(['<', '>', '&']) {
                let plain = piece.trim_end_matches(['<', '>', '&']);
                let quoted = Value::string(plain).to_json();
                text.push_str(quoted.get(1..quoted.len() - 1).unwrap_or_default());
                text.push_str(piece.get(plain.len()..).unwrap_or_default());
            }
            text.push('"');
        }
        other => text.push_str(&other.to_json()),
    }
}
