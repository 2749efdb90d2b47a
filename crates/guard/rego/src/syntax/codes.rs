//! The diagnostic codes of the parser, with what `palisade explain` says of them. OPA calls all of these
//! `rego_parse_error`.

palisade_model::codes! {
    CHARACTER "PAL-R0001" "a character has no place in a Rego policy"
    "Outside of texts and comments, Rego knows ASCII letters, digits and its operators. Typographic quotes and \
     non-breaking spaces usually come from a word processor or a web page; `!x` is `not x` in Rego.\n\n\
     Replace the character. Names with other letters are written as keys: `input[\"naïve\"]`."
    UNCLOSED "PAL-R0002" "a Rego string is never closed"
    "A text in double quotes must end on the line on which it begins; a text in backticks ends at the next backtick, \
     and holds none.\n\n\
     Close it, or write `\\n` for a line break: `\"first\\nsecond\"`."
    ESCAPE "PAL-R0003" "an escape sequence is not known to Rego"
    "A backslash in double quotes begins one of the escapes of JSON: `\\\"`, `\\\\`, `\\/`, `\\b`, `\\f`, `\\n`, `\\r`, \
     `\\t`, `\\u00e9`, and `\\{` in a template. Regular expressions are the usual victims: `\"\\d+\"`.\n\n\
     Double the backslash, `\"\\\\d+\"`, or use backticks: `` `\\d+` ``."
    NUMBER "PAL-R0004" "a number is not written as in JSON"
    "Numbers have digits before and after a decimal point, no leading zeros, no `+`, no underscores and no other base \
     than ten; exponents go to a million.\n\n\
     Write `0.5` for `.5`, `8` for `010`, `255` for `0xff`."
    SYNTAX "PAL-R0005" "a Rego policy is not written as the language asks"
    "The parser found another word or sign than the language allows there; the message names both. Usual reasons: a \
     bracket that was not closed further up, a space between a function and its `(`, two conditions on one line \
     without `;`, `=` where `==` is meant within an expression, a rule without a head.\n\n\
     Correct the place shown. Everything from there to the next rule is skipped, so mend the first message first."
    LIMIT "PAL-R0006" "a Rego policy is nested deeper or larger than the limit"
    "Brackets may nest 100 levels deep, operators 250, and a file may have 32 MiB. Real policies nest a \
     dozen levels; more is generated text or an attack on the reader's stack.\n\n\
     Give parts of the expression names of their own with `:=`, or put data into a data file."
    KEYWORD "PAL-R0007" "a rule lacks `if` or `contains`"
    "Since OPA 1.0 a rule with conditions is written `allow if { .. }`, and a rule that adds to a set is written \
     `deny contains message if { .. }`. Before, it was `allow { .. }` and `deny[message] { .. }`. The message says \
     which word is missing.\n\n\
     Add the word. A file that must stay as it is can be read in the older syntax, by `rego_version: 0` in its \
     bundle's manifest or by the setting of the command that reads it."
    IMPORT "PAL-R0008" "an import cannot be resolved"
    "An import names a path below `data` or `input` (`import data.lib.kubernetes`), or turns on a version of the \
     language (`import rego.v1`) or a keyword (`import future.keywords.in`). The last part is the name it goes by \
     unless `as` gives another, so it must not be a keyword.\n\n\
     Correct the path, or add `as` with a name."
    PACKAGE "PAL-R0009" "a module does not begin with its package"
    "Every Rego file begins with `package` and a name, such as `package kubernetes.admission`. The name decides where \
     its rules are found below `data`. It is stated once, before imports and rules.\n\n\
     Add the line, or delete the second one."
    RULE "PAL-R0010" "the head of a rule defines nothing"
    "A rule begins with its name and what it defines: `allow if { .. }`, `limit := 10`, `deny contains message if \
     { .. }`, `by_name[name] := value if { .. }`, `f(x) := x + 1`. A name alone defines nothing; a keyword can be a name \
     only with something after it (`default.limit := 1`); `else` goes with rules that have one value.\n\n\
     Give the rule a value, `if` with conditions, or `contains`."
    DEFAULT "PAL-R0011" "a default is not a constant"
    "`default allow := false` gives the value of a rule where none of its definitions hold. It is a constant, or a \
     comprehension; it can have no conditions, and the parameters of `default f(x, _) := 0` are plain names.\n\n\
     Put what depends on the input into an ordinary definition of the rule."
    METADATA "PAL-R0012" "a metadata block is wrong"
    "Comment lines after `# METADATA` are YAML that tells people and tools about the package or rule that follows: \
     `scope`, `title`, `description`, `authors`, `organizations`, `related_resources`, `schemas`, `entrypoint`, \
     `custom`. The block must be valid, and stand directly before what its scope names.\n\n\
     For example:\n\n    # METADATA\n    # title: Images come from our registry\n    # custom:\n    #   severity: high\n    \
     deny contains message if { .. }"
    TEMPLATE "PAL-R0013" "an expression in a template has no value"
    "In `$\"user {input.user} is unknown\"` each pair of braces holds one expression with a value. Assignments, `not` \
     and `some` have none. A brace that is meant as a brace is written `\\{`.\n\n\
     Compute the value in a condition before, and name it between the braces."
}
