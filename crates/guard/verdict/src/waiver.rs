//! Waivers: leave to break a rule for a while, with a reason, an owner and a last day.
//!
//! One grammar serves comments (`# palisade:ignore images/tag reason="..." owner=shop expires=2027-01-31`) and
//! annotations; a waiver file spells the same out. [`Waivers`] finds the waiver of a violation among very many. Who lacks
//! a reason, an owner or a day has no waiver. Deliberately absent: what a waiver does to a verdict, which is the
//! checkpoint's to decide (never anything to an error), and where comments stand.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use palisade_model::{Fingerprint, Location, Str, Waiver, wildcard};

use crate::selection::{Selector, Subject};

mod inline;
mod usage;

pub use inline::InlineWaivers;
pub(crate) use inline::Split;
pub use usage::Usage;

/// How many days before its end a waiver is mentioned.
const SOON: i32 = 14;

/// Where a waiver is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It holds.
    Valid,
    /// It holds, and ends after so many days.
    EndsSoon(i32),
    /// It holds no more.
    Expired,
}

/// Where a waiver with this last day is at `now`, by the calendar of UTC. On the day itself it still holds.
pub fn stage(expires: Date, now: Timestamp) -> Stage {
    let today = now.to_zoned(TimeZone::UTC).date();
    let left = expires.since(today).map_or(i32::MAX, |span| span.get_days());
    match left {
        ..0 => Stage::Expired,
        0..=SOON => Stage::EndsSoon(left),
        _ => Stage::Valid,
    }
}

/// A last day, written `YYYY-MM-DD`.
pub fn parse_day(text: &str) -> Result<Date, String> {
    let wrong = || format!("`{text}` is no day: expected YYYY-MM-DD, such as 2027-01-31");
    if text.len() != "YYYY-MM-DD".len() {
        return Err(wrong());
    }
    Date::strptime("%Y-%m-%d", text).map_err(|_| wrong())
}

/// The terms of a waiver as written, before anybody has looked whether they are complete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Terms {
    /// Policies or rules, with wildcards.
    pub policies: Vec<Str>,
    /// Why.
    pub reason: Option<Str>,
    /// Who answers for it.
    pub owner: Option<Str>,
    /// The last day.
    pub expires: Option<Str>,
}

impl Terms {
    /// Reads what stands behind `palisade:ignore`: patterns separated by blanks or commas, then `reason=`, `owner=` and
    /// `expires=`, each followed by a word or a text in quotes.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut terms = Self::default();
        let mut rest = text.trim();
        while let Some(end) = rest.find(|c: char| c.is_whitespace() || matches!(c, ',' | '=')) {
            let (word, tail) = rest.split_at(end);
            let tail_without_blanks = tail.trim_start();
            if let Some(value) = tail_without_blanks.strip_prefix('=') {
                let (value, after) = take_value(value.trim_start())?;
                terms.set(word, value)?;
                rest = after.trim_start();
            } else {
                terms.pattern(word);
                rest = tail.trim_start_matches(|c: char| c.is_whitespace() || c == ',');
            }
        }
        terms.pattern(rest);
        Ok(terms)
    }

    fn pattern(&mut self, word: &str) {
        if !word.is_empty() {
            self.policies.push(word.into());
        }
    }

    fn set(&mut self, key: &str, value: &str) -> Result<(), String> {
        let field = match key {
            "reason" => &mut self.reason,
            "owner" => &mut self.owner,
            "expires" => &mut self.expires,
            _ => return Err(format!("`{key}` is unknown: expected reason, owner or expires")),
        };
        match field.replace(value.into()) {
            None => Ok(()),
            Some(_) => Err(format!("`{key}` is given twice")),
        }
    }

    /// The waiver, written at `location`, and its last day; what is missing or wrong otherwise.
    pub fn grant(&self, location: Option<Location>, in_source: bool) -> Result<(Waiver, Date), String> {
        let given = |field: &Option<Str>| field.clone().filter(|text| !text.trim().is_empty());
        let (reason, owner, expires) = (given(&self.reason), given(&self.owner), given(&self.expires));
        let parts = [("a reason", &reason), ("an owner", &owner), ("an expiry", &expires)];
        let lacking: Vec<_> = parts.iter().filter(|(_, part)| part.is_none()).map(|(name, _)| *name).collect();
        let (Some(reason), Some(owner), Some(expires)) = (reason, owner, expires) else {
            return Err(format!("it lacks {}", lacking.join(" and ")));
        };
        let day = parse_day(&expires)?;
        Ok((Waiver { reason, owner, expires, location, in_source }, day))
    }
}

/// A word or a quoted text, and what follows.
fn take_value(text: &str) -> Result<(&str, &str), String> {
    let quote = text.chars().next().filter(|c| matches!(c, '"' | '\''));
    if let Some((quote, quoted)) = quote.and_then(|quote| Some((quote, text.strip_prefix(quote)?))) {
        return quoted.split_once(quote).ok_or_else(|| format!("the quote {quote} is not closed"));
    }
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    Ok(text.split_at(end))
}

/// A waiver and what it covers.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Which violations.
    pub selector: Selector,
    /// The terms.
    pub waiver: Arc<Waiver>,
    /// The last day on which it holds.
    pub last_day: Date,
}

impl Entry {
    /// Where it is in its life.
    pub fn stage(&self, now: Timestamp) -> Stage {
        stage(self.last_day, now)
    }
}

/// Which waivers are about a violation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ruling {
    /// The first waiver that holds.
    pub by: Option<usize>,
    /// The first one that has expired, where none holds.
    pub expired: Option<usize>,
}

/// Waivers with an index, because some repositories keep very many.
#[derive(Clone, Debug, Default)]
pub struct Waivers {
    entries: Vec<Entry>,
    by_fingerprint: HashMap<Fingerprint, Vec<usize>>,
    /// Those that name objects plainly, by name.
    by_name: HashMap<Str, Vec<usize>>,
    others: Vec<usize>,
}

impl Waivers {
    /// Of `entries`, in order.
    pub fn new(entries: Vec<Entry>) -> Self {
        let mut waivers = Self::default();
        for (index, entry) in entries.iter().enumerate() {
            let names = &entry.selector.names;
            if let Some(fingerprint) = entry.selector.fingerprint {
                waivers.by_fingerprint.entry(fingerprint).or_default().push(index);
            } else if names.is_empty() || names.iter().any(|name| wildcard::contains_wildcard(name)) {
                waivers.others.push(index);
            } else {
                for name in names {
                    waivers.by_name.entry(name.clone()).or_default().push(index);
                }
            }
        }
        Self { entries, ..waivers }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// All of them, in order.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Whether any of them is about one violation exactly.
    pub(crate) fn names_fingerprints(&self) -> bool {
        !self.by_fingerprint.is_empty()
    }

    /// The entries that may be about the violation, the most precise first.
    fn candidates(&self, subject: &Subject<'_>, names: &[Fingerprint]) -> impl Iterator<Item = usize> {
        let precise = names.iter().filter_map(|name| self.by_fingerprint.get(name)).flatten();
        let named = self.by_name.get(subject.resource.name()).into_iter().flatten();
        precise.chain(named).chain(&self.others).copied()
    }

    /// Which waivers are about the violation that goes by these names at `now`.
    pub fn rule(&self, subject: &Subject<'_>, names: &[Fingerprint], now: Timestamp) -> Ruling {
        let mut ruling = Ruling::default();
        if self.is_empty() {
            return ruling;
        }
        for index in self.candidates(subject, names) {
            let Some(entry) = self.entries.get(index) else { continue };
            let expired = entry.stage(now) == Stage::Expired;
            if (expired && ruling.expired.is_some()) || !entry.selector.selects(subject) {
                continue;
            }
            if !expired {
                return Ruling { by: Some(index), expired: None };
            }
            ruling.expired = Some(index);
        }
        ruling
    }
}

#[cfg(test)]
mod tests;
