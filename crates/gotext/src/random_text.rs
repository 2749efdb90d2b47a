//! Text that matches a regular expression, drawn from a seed.
//!
//! Kyverno's `random` functions make names and secrets so. The same pattern and seed give the same text everywhere,
//! which is what makes a replay a replay; nothing here is fit for cryptography.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::go_regex;

/// The most repetitions that `*`, `+` and `{n,}` add to their least.
const MAX_UNBOUNDED: u32 = 16;

/// A parsed pattern.
#[derive(Clone, Debug)]
pub struct Pattern(Hir);

impl Pattern {
    /// Reads a pattern in Go's syntax.
    pub fn parse(pattern: &str) -> Result<Self, String> {
        let failed = |error: &str| format!("cannot draw from `{pattern}`: {error}");
        let translated = go_regex::translate(pattern).map_err(|error| failed(&error))?;
        regex_syntax::parse(&translated).map(Self).map_err(|_| failed("it is not a regular expression"))
    }

    /// A text that matches. `step` is asked before every part that is written, and may refuse.
    pub fn draw<E>(&self, seed: u64, step: &mut dyn FnMut() -> Result<(), E>) -> Result<String, E> {
        let mut draw = Draw { state: seed, text: String::new(), step };
        draw.write(&self.0)?;
        Ok(draw.text)
    }
}

/// A number drawn from a seed and a key: the same for the same two, unrelated for others.
pub fn seeded(seed: u64, key: &[u8]) -> u64 {
    key.iter().fold(next(&mut seed.clone()), |drawn, byte| next(&mut (drawn ^ u64::from(*byte))))
}

/// SplitMix64: small, well distributed, and the same everywhere.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut z = *state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

struct Draw<'a, E> {
    state: u64,
    text: String,
    step: &'a mut dyn FnMut() -> Result<(), E>,
}

impl<E> Draw<'_, E> {
    fn next(&mut self) -> u64 {
        next(&mut self.state)
    }

    /// A number below `bound`, which is at least 1.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    /// The parser bounds the depth of patterns.
    fn write(&mut self, hir: &Hir) -> Result<(), E> {
        (self.step)()?;
        match hir.kind() {
            HirKind::Empty | HirKind::Look(_) => {}
            HirKind::Literal(literal) => self.text.push_str(&String::from_utf8_lossy(&literal.0)),
            HirKind::Class(class) => self.character(class),
            HirKind::Capture(capture) => self.write(&capture.sub)?,
            HirKind::Concat(parts) => parts.iter().try_for_each(|part| self.write(part))?,
            HirKind::Alternation(alternatives) => {
                let at = self.below(alternatives.len() as u64) as usize;
                alternatives.get(at).map_or(Ok(()), |alternative| self.write(alternative))?;
            }
            HirKind::Repetition(repetition) => {
                let most = repetition.max.unwrap_or(repetition.min.saturating_add(MAX_UNBOUNDED));
                let extra = self.below(u64::from(most.saturating_sub(repetition.min)) + 1);
                for _ in 0..u64::from(repetition.min) + extra {
                    self.write(&repetition.sub)?;
                }
            }
        }
        Ok(())
    }

    /// One character of a class; of a negated one or of `.`, a printable ASCII character where it has any.
    fn character(&mut self, class: &Class) {
        let Class::Unicode(class) = class else { return };
        let whole: Vec<(u32, u32)> =
            class.ranges().iter().map(|range| (u32::from(range.start()), u32::from(range.end()))).collect();
        let printable = whole.iter().map(|(start, end)| (*start.max(&0x20), *end.min(&0x7e)));
        let printable: Vec<(u32, u32)> = printable.filter(|(start, end)| start <= end).collect();
        let ranges = if printable.is_empty() { whole } else { printable };
        let total: u64 = ranges.iter().map(|(start, end)| u64::from(end - start) + 1).sum();
        let mut at = self.below(total);
        for (start, end) in ranges {
            let size = u64::from(end - start) + 1;
            if at < size {
                self.text.extend(char::from_u32(start + at as u32));
                return;
            }
            at -= size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draw(pattern: &str, seed: u64) -> String {
        let free: Result<String, ()> = Pattern::parse(pattern).unwrap().draw(seed, &mut || Ok(()));
        free.unwrap()
    }

    #[test]
    fn texts_match_and_repeat_with_their_seed() {
        for pattern in ["[0-9a-z]{8}", "(ab|cd)+-\\d{3}", "x*y?z", "[^a]{3}."] {
            for seed in 0..50 {
                let text = draw(pattern, seed);
                assert!(go_regex::compile(&format!("^(?:{pattern})$")).unwrap().is_match(&text), "{pattern}: {text}");
                assert_eq!(text, draw(pattern, seed));
            }
        }
        assert_ne!(draw("[a-z]{16}", 1), draw("[a-z]{16}", 2));
    }

    #[test]
    fn a_step_may_refuse() {
        let pattern = Pattern::parse("(((a{1000}){1000}){1000})").unwrap();
        let mut left = 10_000;
        let mut step = || {
            left -= 1;
            if left == 0 { Err("enough") } else { Ok(()) }
        };
        assert_eq!(pattern.draw(0, &mut step), Err("enough"));
        assert!(Pattern::parse("(").is_err());
    }
}
