//! Base64 as Go's `encoding/base64` reads it, with its errors: line ends are skipped, spare bits are ignored, padding
//! is required.

/// The digits for 62 and 63.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alphabet {
    /// `+` and `/`.
    Standard,
    /// `-` and `_`.
    Url,
}

/// The bytes of a text with padding.
pub fn decode(text: &str, alphabet: Alphabet) -> Result<Vec<u8>, String> {
    let illegal = |at: usize| format!("illegal base64 data at input byte {at}");
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    let mut input = text.bytes().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n'));
    let (mut bits, mut count) = (0_u32, 0_usize);
    while let Some((at, byte)) = input.next() {
        if byte == b'=' {
            if count < 2 {
                return Err(illegal(at));
            }
            if count == 2 {
                match input.next() {
                    Some((_, b'=')) => {}
                    Some((at, _)) => return Err(illegal(at.saturating_sub(1))),
                    None => return Err(illegal(text.len())),
                }
            }
            if let Some((at, _)) = input.next() {
                return Err(illegal(at));
            }
            bits <<= 6 * (4 - count);
            bytes.extend(bits.to_be_bytes().into_iter().skip(1).take(count - 1));
            return Ok(bytes);
        }
        bits = bits << 6 | digit(byte, alphabet).ok_or_else(|| illegal(at))?;
        count += 1;
        if count == 4 {
            bytes.extend(bits.to_be_bytes().into_iter().skip(1));
            (bits, count) = (0, 0);
        }
    }
    if count == 0 { Ok(bytes) } else { Err(illegal(text.len() - count)) }
}

/// The bytes of a text in the alphabet of URLs, with padding or without, as OPA takes it.
pub fn decode_url(text: &str) -> Result<Vec<u8>, String> {
    if text.ends_with('=') {
        return decode(text, Alphabet::Url);
    }
    match text.len() % 4 {
        0 => decode(text, Alphabet::Url),
        2 => decode(&format!("{text}=="), Alphabet::Url),
        3 => decode(&format!("{text}="), Alphabet::Url),
        _ => Err(format!("illegal base64url string: {text}")),
    }
}

fn digit(byte: u8, alphabet: Alphabet) -> Option<u32> {
    let digit = match (byte, alphabet) {
        (b'A'..=b'Z', _) => byte - b'A',
        (b'a'..=b'z', _) => byte - b'a' + 26,
        (b'0'..=b'9', _) => byte - b'0' + 52,
        (b'+', Alphabet::Standard) | (b'-', Alphabet::Url) => 62,
        (b'/', Alphabet::Standard) | (b'_', Alphabet::Url) => 63,
        _ => return None,
    };
    Some(digit.into())
}

#[cfg(test)]
mod tests {
    use super::{Alphabet, decode, decode_url};

    #[test]
    fn reads_and_refuses_as_go_does() {
        let read = |text| decode(text, Alphabet::Standard);
        assert_eq!(read("aGVs\nbG8="), Ok(b"hello".to_vec()));
        assert_eq!(read("invalid"), Err("illegal base64 data at input byte 4".to_owned()));
        assert_eq!(read("aGV(bG8="), Err("illegal base64 data at input byte 3".to_owned()));
        assert_eq!(read("aGVsbG8=a"), Err("illegal base64 data at input byte 8".to_owned()));
        assert_eq!(decode_url("_-8"), Ok(vec![0xff, 0xef]));
        assert_eq!(decode_url("_-8="), Ok(vec![0xff, 0xef]));
        assert!(decode_url("a").is_err());
    }
}
