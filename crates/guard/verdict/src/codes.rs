//! The diagnostic codes of adoption: waivers, baselines, overrides.

use palisade_model::CodeEntry;

/// A waiver cannot be used.
pub const WAIVER: &str = "PAL-P0010";
/// A waiver has expired.
pub const WAIVER_EXPIRED: &str = "PAL-P0011";
/// A waiver covers nothing.
pub const WAIVER_UNUSED: &str = "PAL-P0012";
/// A waiver ends soon.
pub const WAIVER_ENDS: &str = "PAL-P0013";
/// A baseline cannot be used.
pub const BASELINE: &str = "PAL-P0014";
/// A baseline has more than is found.
pub const BASELINE_FIXED: &str = "PAL-P0015";
/// An override means no policy.
pub const OVERRIDE_UNUSED: &str = "PAL-P0016";

/// The table.
pub const CODES: &[CodeEntry] = &[
    CodeEntry {
        code: WAIVER,
        title: "a waiver cannot be used",
        explanation: "A waiver must name the policies that it is about and say why they may be broken (`reason`), who \
answers for it (`owner`) and the last day on which it holds (`expires`, as YYYY-MM-DD). One that lacks any of these does \
not apply, and the run ends with exit code 2, because a gate must not be opened by a typing mistake.

As a comment on the offending line, or on a line of its own before it:

    image: registry.example/tool:latest # palisade:ignore images/tag reason=\"vendor image\" owner=shop expires=2027-01-31

As an annotation: `palisade.dev/ignore` with the same text, without `palisade:ignore`. In `.palisade/waivers.yaml`:

    waivers:
      - policies: [images/tag]
        names: [tool]
        reason: vendor image
        owner: shop
        expires: 2027-01-31",
    },
    CodeEntry {
        code: WAIVER_EXPIRED,
        title: "a waiver has expired",
        explanation: "The last day of the waiver is over, so what it covered counts again. The message says who owns it.

Mend what it covered and delete the waiver, or agree on a new day with its owner and change `expires`.",
    },
    CodeEntry {
        code: WAIVER_UNUSED,
        title: "a waiver covers nothing",
        explanation: "No rule reported anything that this waiver is about. Either the violation is mended, which is good \
news, or the waiver names another rule, object or place than was meant.

Delete it, or correct it: comments belong on the offending line or directly above the field, list element or document \
that they are about, and rules are named as findings show them in brackets, `policy` or `policy/rule`.",
    },
    CodeEntry {
        code: WAIVER_ENDS,
        title: "a waiver ends soon",
        explanation: "The waiver ends within 14 days. From the day after, what it covers fails the run again. The moment \
that counts is now, or what `--now` says.",
    },
    CodeEntry {
        code: BASELINE,
        title: "a baseline cannot be used",
        explanation: "The file is no baseline of this program, is damaged, or was written by a newer version. Nothing is \
taken from it, and the run ends with exit code 2. Two entries with the same fingerprint and file, as careless merges leave \
behind, count once and are a warning.

Write it anew with `palisade check PATH --write-baseline FILE` and compare the two in version control.",
    },
    CodeEntry {
        code: BASELINE_FIXED,
        title: "findings of the baseline no longer occur",
        explanation: "Findings that the baseline tolerates are gone. As long as their entries stay, the same mistakes may \
come back unnoticed.

`palisade check PATH --prune-baseline` removes these entries and accepts nothing new.",
    },
    CodeEntry {
        code: OVERRIDE_UNUSED,
        title: "an override means no policy",
        explanation: "A name under `[severity]` or `[[override]]` in `palisade.toml` matches none of the loaded policies, \
so it changes nothing. Usually it is misspelt, or the policy has been renamed.

`palisade list rules` shows the names; both `policy` and `policy/rule` can be used, with `*` and `?`.",
    },
];
