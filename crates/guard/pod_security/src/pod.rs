//! What the checks read of a pod, decoded once and strictly: a field of the wrong type is an error, as it is for the
//! API server, and never an absent field.

use palisade_model::{Map, Path, Segment, Value, wildcard};

use super::Exclusion;

/// A pod as the checks see it.
#[derive(Clone, Debug, Default)]
pub(super) struct Pod<'a> {
    pub(super) annotations: Vec<(&'a str, &'a str)>,
    /// `hostNetwork`, `hostPID` and `hostIPC`, where set to true.
    pub(super) host_namespaces: Vec<&'static str>,
    /// Whether the pod runs in a user namespace of its own.
    pub(super) user_namespace: bool,
    pub(super) windows: bool,
    pub(super) security: Security<'a>,
    pub(super) sysctls: Vec<&'a str>,
    pub(super) volumes: Vec<Volume<'a>>,
    /// Init containers, containers and ephemeral containers, in this order.
    pub(super) containers: Vec<Container<'a>>,
}

/// A volume, and the members that say what it is.
#[derive(Clone, Debug)]
pub(super) struct Volume<'a> {
    pub(super) name: &'a str,
    pub(super) sources: Vec<&'a str>,
    pub(super) host_path: Option<&'a str>,
}

/// A container of any kind.
#[derive(Clone, Debug, Default)]
pub(super) struct Container<'a> {
    list: &'static str,
    index: usize,
    pub(super) name: &'a str,
    pub(super) image: &'a str,
    pub(super) security: Security<'a>,
    /// The index and number of each host port.
    pub(super) host_ports: Vec<(usize, i64)>,
    /// Hosts of probes and lifecycle hooks, and the route to each.
    pub(super) hosts: Vec<([&'static str; 3], &'a str)>,
}

/// The settings that a pod and a container have in common.
#[derive(Clone, Debug, Default)]
pub(super) struct Security<'a> {
    pub(super) present: bool,
    pub(super) privileged: Option<bool>,
    pub(super) allow_privilege_escalation: Option<bool>,
    pub(super) run_as_non_root: Option<bool>,
    pub(super) run_as_user: Option<i64>,
    pub(super) proc_mount: Option<&'a str>,
    /// Added and dropped capabilities.
    pub(super) capabilities: Option<(Vec<&'a str>, Vec<&'a str>)>,
    /// Type, user and role.
    pub(super) selinux: Option<[&'a str; 3]>,
    /// The type of the profile, empty where it has none.
    pub(super) seccomp: Option<&'a str>,
    pub(super) app_armor: Option<&'a str>,
    pub(super) host_process: bool,
}

const LISTS: [&str; 3] = ["initContainers", "containers", "ephemeralContainers"];
const PROBES: [&str; 3] = ["livenessProbe", "readinessProbe", "startupProbe"];

type Read<T> = Result<T, String>;

static EMPTY: Map = Map::new();

impl<'a> Pod<'a> {
    /// Decodes a pod from its metadata and spec.
    pub(super) fn read(metadata: Option<&'a Value>, spec: Option<&'a Value>) -> Read<Self> {
        let metadata = as_object("metadata", metadata)?.unwrap_or(&EMPTY);
        let spec = as_object("spec", spec)?.unwrap_or(&EMPTY);
        let security = object(spec, "securityContext")?;
        let mut pod = Self {
            user_namespace: flag(spec, "hostUsers")? == Some(false),
            windows: object(spec, "os")?.map_or(Ok(None), |os| text(os, "name"))? == Some("windows"),
            security: Security::read(security)?,
            sysctls: names(security.unwrap_or(&EMPTY), "sysctls")?,
            ..Self::default()
        };
        for (key, value) in object(metadata, "annotations")?.into_iter().flat_map(Map::iter) {
            pod.annotations.push((key, as_text(key, Some(value))?.unwrap_or_default()));
        }
        for key in ["hostNetwork", "hostPID", "hostIPC"] {
            if flag(spec, key)? == Some(true) {
                pod.host_namespaces.push(key);
            }
        }
        for volume in objects(spec, "volumes")? {
            pod.volumes.push(Volume::read(volume?)?);
        }
        for list in LISTS {
            for (index, container) in objects(spec, list)?.enumerate() {
                pod.containers.push(Container::read(list, index, container?)?);
            }
        }
        Ok(pod)
    }

    /// What an exclusion without images is judged on: the pod's own fields, with one container that sets nothing.
    pub(super) fn without_containers(&self) -> Self {
        let blank = Container { list: "containers", name: "fake", ..Container::default() };
        Self { containers: vec![blank], ..self.clone() }
    }

    /// What an exclusion with images is judged on: their containers, in a pod that sets nothing.
    pub(super) fn containers_of(&self, exclusion: &Exclusion) -> Self {
        let chosen = |container: &&Container<'a>| {
            exclusion.images.iter().any(|pattern| wildcard::matches(pattern, container.image))
        };
        Self { containers: self.containers.iter().filter(chosen).cloned().collect(), ..Self::default() }
    }
}

impl<'a> Volume<'a> {
    fn read(volume: &'a Map) -> Read<Self> {
        let sources = volume.iter().filter(|(key, value)| &***key != "name" && !value.is_null());
        let host_path = object(volume, "hostPath")?;
        Ok(Self {
            name: text(volume, "name")?.unwrap_or_default(),
            sources: sources.map(|(key, _)| &**key).collect(),
            host_path: host_path
                .map_or(Ok(None), |source| Ok::<_, String>(Some(text(source, "path")?.unwrap_or_default())))?,
        })
    }
}

impl<'a> Container<'a> {
    fn read(list: &'static str, index: usize, container: &'a Map) -> Read<Self> {
        let mut host_ports = Vec::new();
        for (index, port) in objects(container, "ports")?.enumerate() {
            host_ports.extend(number(port?, "hostPort")?.filter(|port| *port != 0).map(|port| (index, port)));
        }
        let mut hosts = Vec::new();
        let lifecycle = object(container, "lifecycle")?.unwrap_or(&EMPTY);
        let handlers = PROBES.map(|probe| (container, ["", probe]));
        let hooks = ["postStart", "preStop"].map(|hook| (lifecycle, ["lifecycle", hook]));
        for (owner, [parent, handler]) in handlers.into_iter().chain(hooks) {
            let handler_fields = object(owner, handler)?.unwrap_or(&EMPTY);
            for action in ["httpGet", "tcpSocket"] {
                let host = object(handler_fields, action)?.map_or(Ok(None), |action| text(action, "host"))?;
                hosts.extend(host.filter(|host| !host.is_empty()).map(|host| ([parent, handler, action], host)));
            }
        }
        Ok(Self {
            list,
            index,
            name: text(container, "name")?.unwrap_or_default(),
            image: text(container, "image")?.unwrap_or_default(),
            security: Security::read(object(container, "securityContext")?)?,
            host_ports,
            hosts,
        })
    }

    /// The path of a field of this container in the pod.
    pub(super) fn path(&self, fields: &[Segment]) -> Path {
        let start = [Segment::from("spec"), Segment::from(self.list), Segment::Index(self.index)];
        start.into_iter().chain(fields.iter().cloned()).collect()
    }
}

impl<'a> Security<'a> {
    fn read(context: Option<&'a Map>) -> Read<Self> {
        let Some(context) = context else { return Ok(Self::default()) };
        let windows = object(context, "windowsOptions")?.unwrap_or(&EMPTY);
        let capabilities = match object(context, "capabilities")? {
            Some(capabilities) => Some((texts(capabilities, "add")?, texts(capabilities, "drop")?)),
            None => None,
        };
        let selinux = match object(context, "seLinuxOptions")? {
            Some(options) => {
                let field = |key| Ok::<_, String>(text(options, key)?.unwrap_or_default());
                Some([field("type")?, field("user")?, field("role")?])
            }
            None => None,
        };
        Ok(Self {
            present: true,
            privileged: flag(context, "privileged")?,
            allow_privilege_escalation: flag(context, "allowPrivilegeEscalation")?,
            run_as_non_root: flag(context, "runAsNonRoot")?,
            run_as_user: number(context, "runAsUser")?,
            proc_mount: text(context, "procMount")?,
            capabilities,
            selinux,
            seccomp: profile(context, "seccompProfile")?,
            app_armor: profile(context, "appArmorProfile")?,
            host_process: flag(windows, "hostProcess")? == Some(true),
        })
    }
}

fn profile<'a>(context: &'a Map, key: &str) -> Read<Option<&'a str>> {
    object(context, key)?.map(|profile| Ok(text(profile, "type")?.unwrap_or_default())).transpose()
}

fn names<'a>(map: &'a Map, key: &'a str) -> Read<Vec<&'a str>> {
    objects(map, key)?.map(|item| Ok(text(item?, "name")?.unwrap_or_default())).collect()
}

fn wrong_type<T>(key: &str, expected: &str, found: &Value) -> Read<T> {
    Err(format!("`{key}` is {expected} in a pod, not a {}", found.type_name()))
}

fn flag(map: &Map, key: &str) -> Read<Option<bool>> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Bool(value)) => Ok(Some(*value)),
        Some(other) => wrong_type(key, "a boolean", other),
    }
}

fn number(map: &Map, key: &str) -> Read<Option<i64>> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => {
            value.as_i64().map_or_else(|| wrong_type(key, "a whole number", value), |number| Ok(Some(number)))
        }
    }
}

fn text<'a>(map: &'a Map, key: &str) -> Read<Option<&'a str>> {
    as_text(key, map.get(key))
}

fn as_text<'a>(key: &str, value: Option<&'a Value>) -> Read<Option<&'a str>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(other) => wrong_type(key, "a string", other),
    }
}

fn object<'a>(map: &'a Map, key: &str) -> Read<Option<&'a Map>> {
    as_object(key, map.get(key))
}

fn as_object<'a>(key: &str, value: Option<&'a Value>) -> Read<Option<&'a Map>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Object(map)) => Ok(Some(map)),
        Some(other) => wrong_type(key, "a mapping", other),
    }
}

fn list<'a>(map: &'a Map, key: &str) -> Read<&'a [Value]> {
    match map.get(key) {
        None | Some(Value::Null) => Ok(&[]),
        Some(Value::Array(items)) => Ok(items),
        Some(other) => wrong_type(key, "a list", other),
    }
}

fn texts<'a>(map: &'a Map, key: &str) -> Read<Vec<&'a str>> {
    list(map, key)?.iter().map(|item| Ok(as_text(key, Some(item))?.unwrap_or_default())).collect()
}

fn objects<'a>(map: &'a Map, key: &'a str) -> Read<impl Iterator<Item = Read<&'a Map>>> {
    Ok(list(map, key)?.iter().map(move |item| Ok(as_object(key, Some(item))?.unwrap_or(&EMPTY))))
}
