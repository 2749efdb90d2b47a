//! The code of what is wrong with a configuration.

palisade_model::codes! {
    UNUSABLE "PAL-P0002" "the configuration cannot be used"
        "`palisade.toml` has a syntax error, a key that does not exist, or a value of the wrong type. It is not guessed at, \
because a misspelt key must never weaken a gate.

Correct what the message points at. The sections and their keys are below, all optional unless it says otherwise; \
`docs/reference/config.md` says what each does, and `palisade config show --origin` what is in force."
}
