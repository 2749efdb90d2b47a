//! Blocks of PEM text, as Go's `encoding/pem` finds them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<'a> {
    /// What it says it holds: `CERTIFICATE`.
    pub kind: &'a str,
    /// What it holds.
    pub bytes: Vec<u8>,
}

/// The first well-formed block, and the text behind it.
pub fn decode(text: &str) -> Option<(Block<'_>, &str)> {
    const BEGIN: &str = "-----BEGIN ";
    const END: &str = "-----END ";
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(END) {
        rest = after;
        // The last beginning in front of an end belongs to it, if it starts a line.
        let Some((lead, block)) = before.rsplit_once(BEGIN) else { continue };
        if !(lead.is_empty() || lead.ends_with('\n')) {
            continue;
        }
        let Some((kind, body)) = block.split_once('\n') else { continue };
        let Some(kind) = kind.trim_end().strip_suffix("-----") else { continue };
        let closes = after.strip_prefix(kind).and_then(|after| after.strip_prefix("-----"));
        if closes.is_none_or(|after| !after.lines().next().unwrap_or_default().trim_end().is_empty()) {
            continue;
        }
        let lines = body.lines().skip_while(|line| line.contains(':'));
        let base64: String = lines.flat_map(str::chars).filter(|c| !c.is_ascii_whitespace()).collect();
        if let Ok(bytes) = STANDARD.decode(&base64) {
            let tail = closes.unwrap_or_default();
            return Some((Block { kind, bytes }, tail.split_once('\n').map_or("", |(_, tail)| tail)));
        }
    }
    None
}
