//! What came of putting the object of a case before a constraint.

/// What was said about an object.
#[derive(Debug, Default)]
pub(super) struct Judged {
    /// The object, as `Kind namespace/name`.
    pub(super) name: String,
    /// Whether the constraint selects the object, or something that it expands into.
    pub(super) selected: bool,
    /// The messages of violations.
    pub(super) violations: Vec<String>,
    /// Why code could not be evaluated.
    pub(super) failures: Vec<String>,
}

impl Judged {
    /// The messages of violations.
    pub(super) fn messages(&self) -> impl Iterator<Item = &str> {
        self.violations.iter().map(String::as_str)
    }

    /// All that was said, for a row that failed.
    pub(super) fn words(&self) -> String {
        let said: Vec<_> = self.violations.iter().chain(&self.failures).map(|message| format!("`{message}`")).collect();
        match (said.is_empty(), self.selected) {
            (true, false) => "the constraint does not select the object".to_owned(),
            (true, true) => "the object passes".to_owned(),
            _ => format!("the constraint says {}", said.join(", ")),
        }
    }
}
