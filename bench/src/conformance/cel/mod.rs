//! Runs the test files of the CEL specification (`tests/simple/testdata/*.textproto`).
//!
//! Palisade judges JSON, so cases about protocol buffer messages are told apart mechanically and counted, never
//! dropped: see [`needs_protobuf`]. Everything else must pass.

mod case;
mod textproto;

use textproto::{Message, parse};

/// How a case came out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum CaseResult {
    /// As expected.
    Passed,
    /// Not as expected, with the reason.
    Failed(String),
    /// Not run: it is about protocol buffer messages or enums.
    NeedsProtobuf,
}

/// One case of a test file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CaseOutcome {
    /// The section of the file.
    pub(crate) section: String,
    /// The name of the case.
    pub(crate) name: String,
    /// The expression.
    pub(crate) expr: String,
    /// How it came out.
    pub(crate) result: CaseResult,
}

/// Runs every case of a test file. `name` is for messages only. An error means that the file cannot be read.
pub(crate) fn run_file(name: &str, text: &str) -> Result<Vec<CaseOutcome>, String> {
    let file = parse(text).map_err(|error| format!("{name}: {error}"))?;
    let mut outcomes = Vec::new();
    for section in file.messages("section") {
        let title = section.text("name").unwrap_or_default();
        for case in section.messages("test") {
            let expr = case.text("expr").unwrap_or_default();
            let result = if needs_protobuf(case, &expr) {
                CaseResult::NeedsProtobuf
            } else {
                case::judge(case, &expr).map_or_else(CaseResult::Failed, |()| CaseResult::Passed)
            };
            outcomes.push(CaseOutcome {
                section: title.clone(),
                name: case.text("name").unwrap_or_default(),
                expr,
                result,
            });
        }
    }
    Ok(outcomes)
}

/// Whether a case is about protocol buffers: its text names a message type other than `Timestamp` and `Duration`
/// (the test messages, `google.protobuf.*`), an enum value, a proto extension, or a partially unknown state.
fn needs_protobuf(case: &Message, expr: &str) -> bool {
    let marks = [
        "cel.expr.conformance.",
        "TestAllTypes",
        "enum_value",
        "proto.getExt",
        "proto.hasExt",
        "unknown:",
        "any_unknowns",
    ];
    let mentions = |text: &str| {
        marks.iter().any(|mark| text.contains(mark))
            || text
                .split("google.protobuf.")
                .skip(1)
                .any(|rest| !rest.starts_with("Timestamp") && !rest.starts_with("Duration"))
    };
    // The expression is looked at unescaped as well: its text may hide a name behind line breaks.
    case.text("container").is_some_and(|container| container == "google.protobuf")
        || mentions(&case.source)
        || mentions(&expr.split_whitespace().collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = r#"
        name: "own"
        section {
          name: "numbers"
          test { name: "sum" expr: "1 + 2" value { int64_value: 3 } }
          test { name: "wrong type" expr: "1 + 2" value { double_value: 3 } }
          test { name: "default" expr: "x == b'\\001'" type_env { name: "x" ident { type { primitive: BYTES } } }
                 bindings { key: "x" value { value { bytes_value: "\001" } } } }
          test { name: "error" expr: "1 / 0" eval_error { errors { message: "zero" } } }
          test { name: "type" expr: "[1]" check_only: true
                 typed_result { deduced_type { list_type { elem_type { primitive: INT64 } } } } }
          test { name: "message" expr: "TestAllTypes{}" }
          test { name: "span" expr: "duration('1.5s')"
                 value { object_value { [type.googleapis.com/google.protobuf.Duration] { seconds: 1 nanos: 500000000 } } } }
        }"#;

    #[test]
    fn cases_are_judged_strictly() {
        let outcomes = run_file("own", FILE).unwrap();
        let passed: Vec<_> =
            outcomes.iter().filter(|o| o.result == CaseResult::Passed).map(|o| o.name.as_str()).collect();
        assert_eq!(passed, ["sum", "default", "error", "type", "span"]);
        assert!(matches!(outcomes[1].result, CaseResult::Failed(_)));
        assert_eq!(outcomes[5].result, CaseResult::NeedsProtobuf);
        assert!(run_file("bad", "section {").is_err());
    }
}
