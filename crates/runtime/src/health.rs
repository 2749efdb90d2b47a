//! Whether the server lives, is ready, and what is amiss.
//!
//! `/livez` answers as long as the process can answer. `/readyz` answers 200 when every condition holds that admission
//! cannot do without, and lists those that do not; what is merely degraded (a full disk, a store that is away) is listed
//! too and does not take the server out of service, because an answer without a record beats none.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use tokio::sync::watch;

/// Conditions by name; without any, the server is ready.
#[derive(Debug, Default)]
pub struct Health {
    conditions: Mutex<BTreeMap<&'static str, Condition>>,
    ready: watch::Sender<bool>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Condition {
    Holds,
    Degraded(String),
    Fails(String),
}

impl Health {
    /// Not ready before each of these conditions holds or is degraded.
    pub fn expecting(startup: &[&'static str]) -> Self {
        let waiting = |name: &&'static str| (*name, Condition::Fails("not started yet".into()));
        Self { conditions: Mutex::new(startup.iter().map(waiting).collect()), ready: watch::Sender::new(false) }
    }

    /// The condition holds.
    pub fn holds(&self, name: &'static str) {
        self.set(name, Condition::Holds);
    }

    /// The condition does not hold and the server is ready all the same.
    pub fn degraded(&self, name: &'static str, reason: impl Into<String>) {
        self.set(name, Condition::Degraded(reason.into()));
    }

    /// The condition does not hold, so the server is not ready.
    pub fn fails(&self, name: &'static str, reason: impl Into<String>) {
        self.set(name, Condition::Fails(reason.into()));
    }

    /// Whether every condition that readiness needs holds.
    pub fn is_ready(&self) -> bool {
        !self.all().values().any(|condition| matches!(condition, Condition::Fails(_)))
    }

    /// Whether the server is ready, with every change.
    pub fn readiness(&self) -> watch::Receiver<bool> {
        self.ready.subscribe()
    }

    /// A line per condition, for `/readyz`.
    pub fn report(&self) -> String {
        self.all().iter().fold(String::new(), |mut text, (name, condition)| {
            let _ = match condition {
                Condition::Holds => writeln!(text, "[+] {name}"),
                Condition::Degraded(reason) => writeln!(text, "[!] {name}: {reason}"),
                Condition::Fails(reason) => writeln!(text, "[-] {name}: {reason}"),
            };
            text
        })
    }

    fn set(&self, name: &'static str, condition: Condition) {
        let previous = self.conditions.lock().unwrap_or_else(PoisonError::into_inner).insert(name, condition.clone());
        if previous.as_ref() == Some(&condition) {
            return;
        }
        let ready = self.is_ready();
        self.ready.send_if_modified(|known| std::mem::replace(known, ready) != ready);
        match condition {
            Condition::Holds => tracing::info!(condition = name, "holds"),
            Condition::Degraded(reason) | Condition::Fails(reason) => tracing::warn!(condition = name, reason, "amiss"),
        }
    }

    fn all(&self) -> BTreeMap<&'static str, Condition> {
        self.conditions.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ready_when_all_hold_and_degraded_is_only_told() {
        let health = Health::expecting(&["store", "ruleset"]);
        assert!(!health.is_ready());
        for name in ["store", "ruleset"] {
            health.holds(name);
        }
        health.degraded("journal", "the disk is full");
        assert!(health.is_ready());
        assert!(health.report().contains("[!] journal: the disk is full\n"), "{}", health.report());
        health.fails("ruleset", "gone");
        assert!(!health.is_ready());
    }
}
