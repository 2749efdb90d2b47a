//! `[__kebab__]`.

use std::time::Duration;

use palisade_config::section;

section! {
    /// Say what the settings are about.
    #[derive(Clone, Debug)]
    pub(super) struct __Name__Config("__kebab__") {
        /// How often what is old is removed.
        #[serde(deserialize_with = "palisade_config::duration")]
        pub(super) every: Duration = Duration::from_hours(1);
        /// How long something is kept.
        #[serde(deserialize_with = "palisade_config::duration")]
        pub(super) keep: Duration = Duration::from_hours(24);
    }
}
