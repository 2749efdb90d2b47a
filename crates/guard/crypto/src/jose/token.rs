//! A token in its compact form: header, payload and signature.

use palisade_gotext::go_base64;
use palisade_model::Value;

/// The parts of a token, still encoded.
#[derive(Clone, Copy, Debug)]
pub struct Token<'a> {
    /// Header and payload, which is what is signed.
    pub signed: &'a str,
    header: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Token<'a> {
    /// Cuts a text at its dots.
    pub fn read(text: &'a str) -> Result<Self, String> {
        let mut parts = text.split('.');
        match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some(header), Some(payload), Some(signature), None) => {
                let (signed, _) = text.rsplit_once('.').unwrap_or((text, ""));
                Ok(Self { signed, header, payload, signature })
            }
            (_, None, ..) => Err("encoded JWT had no period separators".into()),
            _ => {
                let found = text.split('.').count();
                Err(format!("encoded JWT must have 3 sections, found {found}"))
            }
        }
    }

    /// The text of the header.
    pub fn header(&self) -> Result<String, String> {
        decode(self.header, "header")
    }

    /// The text of the payload.
    pub fn payload(&self) -> Result<String, String> {
        decode(self.payload, "payload")
    }

    /// The bytes of the signature.
    pub fn signature(&self) -> Result<Vec<u8>, String> {
        go_base64::decode_url(self.signature)
    }
}

fn decode(text: &str, part: &str) -> Result<String, String> {
    let bytes = go_base64::decode_url(text).map_err(|error| format!("JWT {part} had invalid encoding: {error}"))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The members of a header that matter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The name of the algorithm; empty where it is missing.
    pub algorithm: String,
    /// The name of the key.
    pub key: Option<String>,
    /// What the payload is; empty where it is not said.
    pub content: String,
    /// Whether it names a critical member that is not known.
    pub unknown_is_critical: bool,
}

impl Header {
    /// Reads the object of a header.
    pub fn read(header: &Value) -> Result<Self, String> {
        const KNOWN: [&str; 5] = ["alg", "kid", "typ", "cty", "crit"];
        let text = |name: &str| match header.get(name) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.to_string())),
            Some(_) => Err(format!("{name}: must be a string")),
        };
        let critical: Vec<&Value> = match header.get("crit") {
            None => Vec::new(),
            Some(Value::Array(names)) => {
                let names: Vec<_> = names.iter().take_while(|name| name.as_str().is_some()).collect();
                if names.is_empty() {
                    return Err("crit: must be a nonempty list".into());
                }
                names
            }
            Some(_) => return Err("crit: must be a list".into()),
        };
        let unknown = |name: &&Value| !name.as_str().is_some_and(|name| KNOWN.contains(&name));
        let unknown_is_critical =
            critical.into_iter().filter(unknown).any(|name| name.as_str().and_then(|name| header.get(name)).is_some());
        text("typ")?;
        Ok(Self {
            algorithm: text("alg")?.unwrap_or_default(),
            key: text("kid")?.filter(|id| !id.is_empty()),
            content: text("cty")?.unwrap_or_default(),
            unknown_is_critical,
        })
    }
}
