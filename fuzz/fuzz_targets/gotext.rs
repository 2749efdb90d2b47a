//! Any text in each of Go's text forms: read or refused, without a panic, and what is read prints and reads again.
//!
//! Run with `cargo +nightly fuzz run gotext`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use palisade_gotext::go_base64::{self, Alphabet};
use palisade_gotext::go_duration::GoDuration;
use palisade_gotext::go_fmt::{Argument, sprintf};
use palisade_gotext::go_template::Template;
use palisade_gotext::go_time::GoTime;
use palisade_gotext::go_url::Url;
use palisade_gotext::{go_float, go_glob, go_regex, random_text};
use palisade_model::Budget;

fuzz_target!(|text: &str| {
    if let Ok(duration) = GoDuration::parse(text) {
        assert_eq!(GoDuration::parse(&duration.to_string()), Ok(duration));
    }
    if let Ok(time) = GoTime::parse_rfc3339(text) {
        let _ = (time.to_rfc3339(), time.civil());
    }
    if let Ok(url) = Url::parse(text) {
        let _ = (url.escaped_path(), url.to_fields(), url.query_pairs());
    }
    for alphabet in [Alphabet::Standard, Alphabet::Url] {
        let _ = go_base64::decode(text, alphabet);
    }
    let _ = (go_base64::decode_url(text), go_float::parse_float(text));
    let _ = go_glob::compile(text, &['.', '/']);
    if let Ok(regex) = go_regex::compile(text) {
        let _ = go_regex::replace_all(&regex, "a1-b2", text);
    }
    if let Ok(pattern) = random_text::Pattern::parse(text) {
        let mut steps = 0;
        let _ = pattern.draw(1, &mut || {
            steps += 1;
            (steps < 1000).then_some(()).ok_or(())
        });
    }
    let mut budget = Budget { steps: 100_000, bytes: 1 << 20 };
    let _ = sprintf(&mut budget, text, &[Argument::Int(7), Argument::Text("a".into()), Argument::Float(0.5)]);
    let _ = Template::parse(text);
});
