//! The diagnostic codes of the compiler, with what `palisade explain` says of them.

use palisade_model::CodeEntry;

/// A code of ours with OPA's name for the mistake.
pub(super) type Code = (&'static str, &'static str);

/// A name that nothing defines, a call with the wrong number of arguments, a type that cannot fit.
pub(super) const TYPE: Code = ("PAL-R0101", "rego_type_error");
/// A variable without a value.
pub(super) const UNSAFE: Code = ("PAL-R0102", "rego_unsafe_var_error");
/// A rule that needs itself.
pub(super) const RECURSION: Code = ("PAL-R0103", "rego_recursion_error");
/// Everything else that does not compile.
pub(super) const COMPILE: Code = ("PAL-R0104", "rego_compile_error");
/// A call outside of a rule.
pub(super) const BARE: Code = ("PAL-R0104", "rego_parse_error");
/// Definitions of one name that exclude each other.
pub(super) const CONFLICT: Code = ("PAL-R0105", "rego_type_error");
/// What only strict mode reports.
pub(super) const STRICT: Code = ("PAL-R0106", "rego_compile_error");
/// A function that v1 no longer has.
pub(super) const DEPRECATED: Code = ("PAL-R0106", "rego_type_error");
/// More than the compiler takes.
pub(super) const LIMIT: Code = ("PAL-R0107", "rego_compile_error");

/// What `palisade explain` knows.
pub const CODES: &[CodeEntry] = &[
    CodeEntry {
        code: TYPE.0,
        title: "a Rego call or term does not fit",
        explanation: "A function is unknown, is called with the wrong number of arguments, or gets an argument whose type \
            it can never take: `count(1)`, `startswith(input.name)`. OPA calls this `rego_type_error`. The policy is not \
            loaded, because the rule could never give an answer. The message names what was expected; functions of other \
            packages need their import or full path, such as `data.lib.f(x)`.",
    },
    CodeEntry {
        code: UNSAFE.0,
        title: "a Rego variable has no value",
        explanation: "Every variable must get its value from a condition that is not negated: `x := input.name`, \
            `some x in input.names`, or a reference such as `input.names[x]`. A variable that occurs only under `not`, as an \
            argument, or in the head has none, so the rule cannot be evaluated. OPA calls this `rego_unsafe_var_error`. \
            Often the name is misspelt, or `import data.lib` is missing. Use `_` for values that do not matter, and move \
            iteration out of `not` into a rule or a comprehension of its own.",
    },
    CodeEntry {
        code: RECURSION.0,
        title: "a Rego rule needs its own value",
        explanation: "Rules and functions must not depend on themselves, directly or through others, because such a value may \
            never be found. OPA calls this `rego_recursion_error`. The message shows the circle. Use `walk` or \
            `graph.reachable` to go through nested data, and refer to single rules instead of a whole package from within it.",
    },
    CodeEntry {
        code: COMPILE.0,
        title: "a Rego module does not compile",
        explanation: "A variable is declared twice or used before its declaration, a declared variable is never used, `with` \
            names something that cannot be replaced, or the like. OPA calls this `rego_compile_error`. The message names the \
            variable or term.",
    },
    CodeEntry {
        code: CONFLICT.0,
        title: "definitions of one Rego name exclude each other",
        explanation: "All definitions of a name must make the same kind of document: a value, a set (`contains`), an object \
            (`p[key] := value`), or a function with one number of parameters; there may be one `default`, and nothing else \
            may be defined below a value. Definitions in other files of the same package count. Rename one of them.",
    },
    CodeEntry {
        code: STRICT.0,
        title: "strict mode rejects this Rego code",
        explanation: "Unused imports, arguments and variables, repeated imports, names that hide `input` or `data`, and \
            deprecated functions usually are mistakes. v1 modules must not repeat imports, hide `input` or `data`, or call \
            deprecated functions in any mode. Remove what is unused, or name it `_`.",
    },
    CodeEntry {
        code: LIMIT.0,
        title: "a Rego module is beyond the limits",
        explanation: "The modules have more rules, variables or conditions than the compiler takes. This guards against \
            generated code that would exhaust memory. Move tables of constants into data documents.",
    },
];
