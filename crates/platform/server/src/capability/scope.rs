//! What of the store a caller may see: a list is narrowed to the caller's teams before it is read.

use palisade_identity::{Authorized, Teams};

/// The teams to read, from those that the caller may see and the one that was asked for; `None` is all of them.
pub(crate) fn teams(authorized: &Authorized, asked: Option<String>) -> Option<Vec<String>> {
    match (authorized.teams(), asked) {
        (teams, None) => teams.filter(),
        (teams, Some(team)) if teams.contains(Some(&team)) => Some(vec![team]),
        // A team out of sight has nothing to show, like one that does not exist.
        (_, Some(_)) => Some(Vec::new()),
    }
}

/// Whether the caller may see everything of every team.
pub(crate) fn sees_all(authorized: &Authorized) -> bool {
    *authorized.teams() == Teams::All
}

/// Whether the caller may see what belongs to `team`.
pub(crate) fn sees(authorized: &Authorized, team: &str) -> bool {
    authorized.teams().contains(Some(team))
}
