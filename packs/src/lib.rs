//! The policies that Palisade brings along, as the text of the files beside this crate.
//!
//! A rule is a folder `<pack>/<group>/<rule>`: `rule.yaml` judges, `fix.yaml` mends where that is safe, `fail.yaml`
//! and `pass.yaml` show what the rule is about and test it. In a pack of defaults `rule.yaml` changes or makes objects.
//! The build finds the folders. Deliberately absent: reading
//! and compiling; to the rest of the program these are policies like the user's own.

/// Policies that belong together.
#[derive(Debug)]
pub struct Pack {
    /// What `pack:ID` names.
    pub id: &'static str,
    /// What it is for.
    pub title: &'static str,
    /// Whether its rules change and make objects instead of judging them.
    pub defaults: bool,
    /// Its groups, in the order in which a team takes them on.
    pub groups: &'static [Group],
    /// Its rules, by group and name.
    pub rules: &'static [Entry],
}

/// Rules of a pack that are adopted together.
#[derive(Debug)]
pub struct Group {
    /// What `pack:PACK/ID` names.
    pub id: &'static str,
    /// What it is for.
    pub title: &'static str,
    /// Whether the pack's name alone includes it.
    pub by_default: bool,
    /// Groups that it builds upon, and that come with it.
    pub includes: &'static [&'static str],
}

/// A rule of a pack.
#[derive(Debug)]
pub struct Entry {
    /// Its identifier: the name of the policy and of its folder.
    pub id: &'static str,
    /// The group that it belongs to.
    pub group: &'static str,
    /// The policy.
    pub text: &'static str,
    /// A policy that mends what the rule finds, where that is safe to do without asking.
    pub fix: Option<&'static str>,
}

impl Pack {
    /// The rules that `what` names: a group, a rule, `all`, or those on by default where it is empty. None where
    /// nothing has that name.
    pub fn select(&self, what: &str) -> Vec<&'static Entry> {
        let chosen = |group: &&Group| group.id == what || (what.is_empty() && group.by_default);
        let groups: Vec<&Group> = self.groups.iter().filter(chosen).collect();
        let named = |entry: &&Entry| {
            what == "all"
                || entry.id == what
                || groups.iter().any(|group| group.id == entry.group || group.includes.contains(&entry.group))
        };
        self.rules.iter().filter(named).collect()
    }

    /// The rule called `id`.
    pub fn rule(&self, id: &str) -> Option<&'static Entry> {
        self.rules.iter().find(|entry| entry.id == id)
    }
}

/// Every pack.
pub const PACKS: &[&Pack] = &[&KUBERNETES, &SECURE_DEFAULTS];

/// What nearly every cluster wants of its workloads, access, network and operations.
pub static KUBERNETES: Pack = Pack {
    id: "kubernetes",
    title: "Kubernetes: Pod Security Standards, access, network, images, operations",
    defaults: false,
    groups: &[
        Group {
            id: "baseline",
            title: "Pod Security Standards, baseline: nothing that takes over a node",
            by_default: true,
            includes: &[],
        },
        Group {
            id: "best-practices",
            title: "what nearly everybody wants: access, images, network, secrets, operations",
            by_default: true,
            includes: &[],
        },
        Group {
            id: "restricted",
            title: "Pod Security Standards, restricted: pods without rights, and all of the baseline",
            by_default: true,
            includes: &["baseline"],
        },
        Group {
            id: "strict",
            title: "for teams that have the others behind them: what most workloads have to be changed for",
            by_default: false,
            includes: &[],
        },
    ],
    rules: include!(concat!(env!("OUT_DIR"), "/kubernetes.rs")),
};

/// What workloads and namespaces get where nothing is said.
pub static SECURE_DEFAULTS: Pack = Pack {
    id: "secure-defaults",
    title: "the secure setting where a workload or a new namespace says nothing",
    defaults: true,
    groups: &[
        Group {
            id: "pods",
            title: "seccomp, non-root, no escalation, no capabilities, read-only root, no token, resources",
            by_default: true,
            includes: &[],
        },
        Group {
            id: "namespaces",
            title: "network policies and a quota for new namespaces",
            by_default: true,
            includes: &[],
        },
    ],
    rules: include!(concat!(env!("OUT_DIR"), "/secure-defaults.rs")),
};
