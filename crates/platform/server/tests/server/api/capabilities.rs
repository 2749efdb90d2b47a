//! The reference page of capabilities, from the table and from what each brings to a running server.

use std::fmt::Write as _;

use palisade_identity::{Permission, Reach};
use palisade_server::capability::Brought;
use palisade_server::{CAPABILITIES, Capability};

/// The page.
pub(super) fn page(brought: &[Brought]) -> String {
    let mut page = String::from(
        "# Capabilities\n\nWhat the server does, and what each part brings. Written by `cargo x gen` from the table in\n\
         `crates/platform/server/src/capability.rs`.\n",
    );
    for capability in CAPABILITIES {
        let own = brought.iter().find(|own| own.id == capability.id).unwrap();
        section(&mut page, capability, own);
    }
    page
}

fn section(page: &mut String, capability: &Capability, own: &Brought) {
    let _ = write!(page, "\n## {}\n\n{}.\n\n", capability.id, sentence(capability.about));
    let listed =
        |items: &mut dyn Iterator<Item = &str>| items.map(|item| format!("`{item}`")).collect::<Vec<_>>().join(", ");
    let sections = listed(&mut capability.settings.iter().map(|settings| settings.section.name));
    let tables = listed(&mut capability.tables.iter().copied());
    let codes = listed(&mut capability.codes.iter().map(|code| code.code));
    let jobs = listed(&mut own.jobs.iter().copied());
    let tasks = own.tasks.join(", ");
    let lines =
        [("Configuration", sections), ("Tables", tables), ("Jobs", jobs), ("Tasks", tasks), ("Diagnostics", codes)];
    for (what, items) in lines.iter().filter(|(_, items)| !items.is_empty()) {
        let _ = writeln!(page, "- {what}: {items}");
    }
    if !capability.permissions.is_empty() {
        page.push_str("\n| permission | to | held | by |\n|---|---|---|---|\n");
        capability.permissions.iter().for_each(|permission| self::permission(page, permission));
    }
    if !own.routes.is_empty() {
        page.push_str("\n| route | permission |\n|---|---|\n");
        for (route, permission) in &own.routes {
            let _ = writeln!(page, "| `{route}` | {} |", permission.unwrap_or("none: open to anybody"));
        }
    }
}

fn permission(page: &mut String, permission: &Permission) {
    let held = match permission.reach() {
        Reach::Own => "by everybody, for what is their own",
        Reach::Team => "in a team, for what is the team's",
        Reach::Platform => "in all teams",
        Reach::Agent => "by agents alone",
    };
    let roles: Vec<_> = permission.roles().iter().map(|role| role.as_str()).collect();
    let roles = if roles.is_empty() { "no role".to_owned() } else { roles.join(", ") };
    let _ = writeln!(page, "| `{permission}` | {} | {held} | {roles} |", permission.about());
}

fn sentence(about: &str) -> String {
    let mut letters = about.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
