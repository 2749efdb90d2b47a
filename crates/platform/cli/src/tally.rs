//! What a run looked at, in words: lines for stderr before the one that says how it ended.

use std::collections::BTreeMap;
use std::fmt::Display;

use palisade_document::kind::KINDS;
use palisade_intake::{Tally, total};

use crate::report::count;

/// The most extensions that are told one by one.
const EXTENSIONS: usize = 8;

/// Nothing where every file was read as documents.
pub(crate) fn lines(tally: &Tally) -> Vec<String> {
    let mut lines = Vec::new();
    if !tally.text.is_empty() {
        let files = count(total(&tally.text), "file");
        lines.push(format!("not judged: {files} of text that no policy asks for ({})", listed(by_number(&tally.text))));
        let advice = KINDS.iter().filter(|kind| tally.text.contains_key(kind.id()));
        lines.extend(advice.filter_map(|kind| Some(format!("  {}: {}", kind.id(), kind.advice()?))));
    }
    if !tally.left_alone.is_empty() {
        let files = count(total(&tally.left_alone), "file");
        lines.push(format!("left alone: {files} of no known kind ({})", listed(by_number(&tally.left_alone))));
    }
    if tally.patches > 0 {
        let patches = if tally.patches == 1 {
            "1 Kustomize patch".into()
        } else {
            format!("{} Kustomize patches", tally.patches)
        };
        let advice = "no whole object; judge what comes of it with `kustomize build FOLDER | palisade check -`";
        lines.push(format!("left alone: {patches}, {advice}"));
    }
    if !lines.is_empty() && !tally.documents.is_empty() {
        let files = count(total(&tally.documents), "file");
        lines.insert(0, format!("read: {files} of documents ({})", listed(by_number(&tally.documents))));
    }
    lines
}

/// The most frequent first.
fn by_number<K: Ord>(files: &BTreeMap<K, usize>) -> Vec<(&K, usize)> {
    let mut rows: Vec<_> = files.iter().map(|(key, number)| (key, *number)).collect();
    rows.sort_by_key(|(_, number)| std::cmp::Reverse(*number));
    rows
}

fn listed<K: Display>(rows: Vec<(K, usize)>) -> String {
    let rest: usize = rows.iter().skip(EXTENSIONS).map(|(_, number)| number).sum();
    let mut words: Vec<_> = rows.into_iter().take(EXTENSIONS).map(|(key, number)| format!("{key} {number}")).collect();
    if rest > 0 {
        words.push(format!("others {rest}"));
    }
    words.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_not_judged_is_told() {
        let mut tally = Tally::default();
        tally.documents.insert("kubernetes", 3);
        assert!(lines(&tally).is_empty(), "nothing to tell where everything was read");
        tally.text.extend([("dockerfile", 1), ("helm-template", 2)]);
        for name in ["a/b.PNG", "c.png", "Makefile", ".hidden", "d.sh"] {
            tally.leave_alone(name);
        }
        assert_eq!(
            lines(&tally),
            [
                "read: 3 files of documents (kubernetes 3)",
                "not judged: 3 files of text that no policy asks for (helm-template 2, dockerfile 1)",
                "  helm-template: render them first, such as with `helm template CHART | palisade check -`",
                "left alone: 5 files of no known kind (.png 2, no extension 2, .sh 1)",
            ]
        );
        for number in 0..20 {
            tally.leave_alone(&format!("x.e{number}"));
        }
        assert!(lines(&tally).last().is_some_and(|line| line.ends_with("others 15)")), "{:?}", lines(&tally));
    }
}
