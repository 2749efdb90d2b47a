//! `cargo x new capability NAME`: the files of a capability that compiles and passes the tests, to be filled.
//!
//! The templates stand under `xtask/templates/KIND` at the paths that they are copied to. Deliberately absent: what a
//! capability is; the module documentation of `crates/platform/server/src/capability.rs` says it.

use std::fs;
use std::path::Path;

use crate::shell::{Result, cargo};
use crate::{generate, say};

const TEMPLATES: &str = "xtask/templates/capability";
const MIGRATIONS: &str = "crates/platform/store/migrations";

/// A line that a new capability needs in a file that exists.
struct Line {
    file: &'static str,
    text: &'static str,
    place: Place,
}

/// Where a line goes.
enum Place {
    /// Among the lines that begin like this, in order.
    Sorted(&'static str),
    /// Before the line that is this.
    Before(&'static str),
    /// At the end of the list that begins like this and ends with `];`.
    EndOf(&'static str),
}

/// All of them; the words in underscores are replaced as in the templates.
const LINES: &[Line] = &[
    Line { file: "crates/platform/server/src/capability.rs", text: "mod __name__;", place: Place::Sorted("mod ") },
    Line {
        file: "crates/platform/server/src/capability.rs",
        text: "    __name__::CAPABILITY,",
        place: Place::Before("    description::CAPABILITY,"),
    },
    Line { file: "crates/platform/store/src/lib.rs", text: "mod __name__;", place: Place::Sorted("mod ") },
    Line {
        file: "crates/platform/store/src/lib.rs",
        text: "pub use __name__::__Name__Record;",
        place: Place::Sorted("pub use "),
    },
    Line {
        file: "crates/platform/store/src/tables.rs",
        text: "    crate::__name__::__UPPER__,",
        place: Place::EndOf("pub(crate) const TABLES"),
    },
];

/// `new capability NAME`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let [kind, name] = arguments else { return Err("usage: cargo x new capability NAME".into()) };
    if kind != "capability" {
        return Err(format!("nothing is known of a new `{kind}`; there is: capability"));
    }
    let words = Words::of(name)?;
    for template in files(Path::new(TEMPLATES)) {
        let target = words.fill(template.strip_prefix(&format!("{TEMPLATES}/")).unwrap_or(&template));
        write_new(&target, &words.fill(&read(&template)?))?;
    }
    for line in LINES {
        let text = insert(&read(line.file)?, &words.fill(line.text), &line.place).ok_or_else(|| {
            format!("{}: no place for `{}` was found; the file has changed its form", line.file, words.fill(line.text))
        })?;
        write(line.file, &text)?;
    }
    cargo(&["fmt", "--all"])?;
    generate()?;
    say(&format!(
        "crates/platform/server/src/capability/{}.rs is where it begins; `cargo x test` passes now",
        words.name
    ));
    Ok(())
}

/// What stands for the words in underscores.
struct Words {
    name: String,
    replacements: Vec<(&'static str, String)>,
}

impl Words {
    /// For a capability called `kebab`.
    fn of(kebab: &str) -> Result<Self> {
        let parts: Vec<&str> = kebab.split('-').collect();
        let sound = |part: &&str| {
            part.starts_with(|c: char| c.is_ascii_lowercase())
                && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        if !parts.iter().all(sound) {
            return Err(format!("`{kebab}` is no name; write lower-case words with hyphens, such as `risk-scores`"));
        }
        let name = parts.join("_");
        if Path::new(&format!("crates/platform/server/src/capability/{name}.rs")).exists() {
            return Err(format!("there is a capability `{kebab}` already"));
        }
        let number = files(Path::new(MIGRATIONS)).len() + 1;
        let capital = |word: &str| {
            let (first, rest) = word.split_at(1);
            first.to_uppercase() + rest
        };
        let replacements = vec![
            ("__NNNN__", format!("{number:04}")),
            ("NNNN", format!("{number:04}")),
            ("__kebab__", kebab.to_owned()),
            ("__Name__", parts.iter().map(|part| capital(part)).collect()),
            ("__UPPER__", name.to_uppercase()),
            ("__Title__", capital(&parts.join(" "))),
            ("__name__", name.clone()),
        ];
        Ok(Self { name, replacements })
    }

    fn fill(&self, text: &str) -> String {
        self.replacements.iter().fold(text.to_owned(), |text, (word, with)| text.replace(word, with))
    }
}

/// `text` with `line` at its place; none where that is not to be found.
fn insert(text: &str, line: &str, place: &Place) -> Option<String> {
    let lines: Vec<&str> = text.lines().collect();
    let at = match place {
        Place::Sorted(prefix) => {
            let like = |other: &&str| other.starts_with(prefix);
            let last = lines.iter().rposition(like)?;
            lines.iter().position(|other| like(other) && *other > line).unwrap_or(last + 1)
        }
        Place::Before(other) => lines.iter().position(|found| found == other)?,
        Place::EndOf(start) => {
            let from = lines.iter().position(|found| found.starts_with(start))?;
            from + lines.get(from..)?.iter().position(|found| *found == "];")?
        }
    };
    let (before, after) = lines.split_at(at);
    Some([before, &[line], after].concat().join("\n") + "\n")
}

/// The files below `folder`, by their paths.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for path in fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()) {
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path.to_string_lossy().into_owned());
        }
    }
    found.sort();
    found
}

fn read(file: &str) -> Result<String> {
    fs::read_to_string(file).map_err(|error| format!("reading {file}: {error}"))
}

fn write(file: &str, text: &str) -> Result<()> {
    fs::write(file, text).map_err(|error| format!("writing {file}: {error}"))
}

fn write_new(file: &str, text: &str) -> Result<()> {
    if Path::new(file).exists() {
        return Err(format!("{file} is there already"));
    }
    let folder = Path::new(file).parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(|error| format!("creating {}: {error}", folder.display()))?;
    write(file, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_its_place() {
        std::env::set_current_dir(crate::root()).unwrap();
        let words = Words::of("x-of-a-test").unwrap();
        for line in LINES {
            let before = read(line.file).unwrap();
            let after = insert(&before, &words.fill(line.text), &line.place)
                .unwrap_or_else(|| panic!("{}: {}", line.file, line.text));
            assert_eq!(after.lines().count(), before.lines().count() + 1);
        }
    }

    #[test]
    fn lines_are_inserted_in_order() {
        let text = "mod a;\nmod c;\n\nconst T: &[u8] = &[\n    1,\n];\n";
        assert_eq!(insert(text, "mod b;", &Place::Sorted("mod ")).unwrap(), text.replace("mod c;", "mod b;\nmod c;"));
        assert_eq!(insert(text, "mod d;", &Place::Sorted("mod ")).unwrap(), text.replace("mod c;", "mod c;\nmod d;"));
        assert_eq!(insert(text, "    2,", &Place::EndOf("const T")).unwrap(), text.replace("    1,", "    1,\n    2,"));
        assert_eq!(insert(text, "x", &Place::Before("nothing")), None);
    }

    #[test]
    fn names_are_words_with_hyphens() {
        let words = Words::of("risk-scores").unwrap();
        assert_eq!(
            words.fill("__name__ __kebab__ __Name__ __UPPER__ __Title__"),
            "risk_scores risk-scores RiskScores RISK_SCORES Risk scores"
        );
        for wrong in ["", "Risk", "a--b", "-a", "a_b", "1a", "../a"] {
            assert!(Words::of(wrong).is_err(), "{wrong}");
        }
    }
}
