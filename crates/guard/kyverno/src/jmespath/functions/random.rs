//! `random`: text that matches a regular expression.
//!
//! The choices come from the run's seed, so that a replay draws the same text; two calls of one run differ because
//! the steps left differ.

use regex_syntax::hir::{Class, Hir, HirKind};

use super::{Answer, Arguments, QueryError};

/// The most repetitions that `*`, `+` and `{n,}` add to their least.
const MAX_UNBOUNDED: u32 = 16;

pub(super) fn random(arguments: &Arguments<'_>) -> Answer {
    let pattern = arguments.text(0)?;
    if pattern.is_empty() {
        return Err(arguments.error("takes a pattern, not an empty text"));
    }
    arguments.charge(pattern.len())?;
    let failed = |error: &str| arguments.error(format_args!("cannot draw from `{pattern}`: {error}"));
    let translated = palisade_model::go_regex::translate(pattern).map_err(|error| failed(&error))?;
    let hir = regex_syntax::parse(&translated).map_err(|_| failed("it is not a regular expression"))?;
    let seed = arguments.runtime().seed ^ arguments.runtime().steps.get().rotate_left(32);
    let mut draw = Draw { arguments, state: seed, text: String::new() };
    draw.write(&hir)?;
    Ok(draw.text.into())
}

struct Draw<'a> {
    arguments: &'a Arguments<'a>,
    state: u64,
    text: String,
}

impl Draw<'_> {
    /// SplitMix64: small, well distributed, and the same everywhere.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is at least 1.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound.max(1)
    }

    fn write(&mut self, hir: &Hir) -> Result<(), QueryError> {
        self.arguments.charge(1)?;
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
            class.ranges().iter().map(|r| (u32::from(r.start()), u32::from(r.end()))).collect();
        let printable: Vec<(u32, u32)> =
            whole.iter().map(|(start, end)| (*start.max(&0x20), *end.min(&0x7e))).filter(|(s, e)| s <= e).collect();
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
