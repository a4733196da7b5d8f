//! Kubernetes' programs with their settings: the files that their flags name, read as they see them.
use super::programs::{Program, Programs};
use super::versions::Versions;
use super::view::View;
use seawall_model::Problem;
use seawall_model::facts::{Anonymous, Component, ControlPlaneFacts, Flags};
use seawall_posture::facts::{
    api_server, etcd, flags, kube_proxy, kubelet, mirror, provider, read_config,
};
use serde_json::Value;

/// Drop-in files of a kubelet that are merged.
const MAX_DROP_INS: usize = 256;
/// Variables of etcd's environment, in bytes; only those of its own are taken.
const MAX_ENVIRONMENT: u64 = 128 * 1024;

/// The programs of a node, and what could not be read of their files.
pub(super) struct Components<'a> {
    host: &'a View,
    programs: &'a Programs,
    versions: &'a mut Versions,
    pub(super) problems: Vec<Problem>,
}

impl<'a> Components<'a> {
    pub(super) fn new(host: &'a View, programs: &'a Programs, versions: &'a mut Versions) -> Self {
        let mut problems = Vec::new();
        if let Some(name) = programs.all_in_one {
            let message = format!(
                "{name} runs Kubernetes' programs within its own process: their settings are not read"
            );
            problems.push(Problem::gap("all-in-one", message));
        }
        Self { host, programs, versions, problems }
    }

    /// The root that a running program sees, else the host's.
    pub(super) fn view(&self, program: &str) -> Option<View> {
        let program = self.programs.get(program)?;
        View::of_directory(&program.process.join("root")).ok()
    }

    /// A path of a flag as the program resolves it.
    pub(super) fn absolute(&self, program: &str, path: &str) -> String {
        if path.starts_with('/') {
            return path.to_owned();
        }
        let program = self.programs.get(program);
        let cwd = program.and_then(|program| std::fs::read_link(program.process.join("cwd")).ok());
        let cwd = cwd.unwrap_or_else(|| "/".into());
        cwd.join(path.trim_start_matches("./")).display().to_string()
    }

    /// The document in a file that a program was pointed to; why there is none becomes a problem.
    fn document(&mut self, program: &str, path: &str) -> Option<Value> {
        let path = self.absolute(program, path);
        let view = self.view(program);
        let text =
            view.as_ref().unwrap_or(self.host).read(&path).map_err(|error| error.to_string());
        match text.and_then(|text| read_config(&text)) {
            Ok(document) => Some(document),
            Err(reason) => {
                let message = format!("the configuration of {program} was not read: {reason}");
                self.problems.push(Problem::gap("file-not-read", message).file(path));
                None
            }
        }
    }

    pub(super) fn kubelet(&mut self) -> Option<Component> {
        let program = self.programs.get("kubelet")?;
        let flags = kubelet::flags_of(&program.arguments);
        let named = flags.get("config").filter(|path| !path.is_empty());
        let file = named.map(|path| self.document("kubelet", path));
        let drop_ins = flags.get("config-dir").map(|path| self.drop_ins(path));
        let version = self.versions.of(&program.process);
        let minor = version.as_deref().and_then(kubelet::minor);
        // Settings of which a part is missing would be guesses.
        let config = match (&file, &drop_ins) {
            (Some(None), _) | (_, Some(None)) => None,
            (file, drop_ins) => {
                let file = file.as_ref().and_then(Option::as_ref);
                let drop_ins = drop_ins.iter().flatten().flatten().cloned().collect::<Vec<_>>();
                Some(kubelet::effective(file, &drop_ins, &flags, minor))
            }
        };
        Some(Component { version, flags, config, ..Component::default() })
    }

    /// The documents of `--config-dir`; `None` where one could not be read.
    fn drop_ins(&mut self, directory: &str) -> Option<Vec<Value>> {
        let paths = self.drop_in_paths(directory);
        paths.iter().map(|path| self.document("kubelet", path)).collect()
    }

    /// Files `*.conf` below the directory, in the order in which they are merged. Source: Go `filepath.WalkDir`.
    pub(super) fn drop_in_paths(&self, directory: &str) -> Vec<String> {
        let Some(view) = self.view("kubelet") else { return Vec::new() };
        let mut open = vec![self.absolute("kubelet", directory)];
        let mut files = Vec::new();
        while let Some(path) = open.pop() {
            if files.len() >= MAX_DROP_INS {
                break;
            }
            match view.stat(&path) {
                Ok(Some(seen)) if seen.directory => {
                    let names = view.list(&path).unwrap_or_default();
                    let path = path.trim_end_matches('/');
                    open.extend(names.into_iter().rev().map(|name| format!("{path}/{name}")));
                }
                Ok(Some(_)) if path.ends_with(".conf") => files.push(path),
                _ => {}
            }
        }
        files
    }

    pub(super) fn kube_proxy(&mut self) -> Option<Component> {
        let program = self.programs.get("kube-proxy")?;
        let flags = flags_of(program);
        let file = flags.get("config").map(|path| self.document("kube-proxy", path));
        let config = match &file {
            Some(None) => None,
            file => Some(kube_proxy::effective(file.as_ref().and_then(Option::as_ref), &flags)),
        };
        Some(Component {
            version: self.versions.of(&program.process),
            flags,
            config,
            ..Component::default()
        })
    }

    pub(super) fn control_plane(&mut self, node: &str) -> Option<ControlPlaneFacts> {
        let mut facts = ControlPlaneFacts {
            node: Some(node.to_owned()),
            origin: "sensor".to_owned(),
            ..ControlPlaneFacts::default()
        };
        let mut any = false;
        for (place, names) in mirror::PROGRAMS.iter().enumerate() {
            let Some(program) = names.iter().find_map(|name| self.programs.get(name)) else {
                continue;
            };
            let component = match place {
                0 => Some(self.api_server(program)),
                mirror::ETCD => self.etcd(program),
                _ => Some(Component {
                    version: self.versions.of(&program.process),
                    flags: flags_of(program),
                    ..Component::default()
                }),
            };
            any = true;
            *mirror::part(&mut facts, place) = component;
        }
        any.then_some(facts)
    }

    fn api_server(&mut self, program: &Program) -> Component {
        let flags = flags_of(program);
        let mut named = |flag: &str| {
            let path = flags.get(flag).filter(|path| !path.is_empty())?;
            self.document(program.name, path)
        };
        let encryption = named("encryption-provider-config");
        let encryption = encryption.or_else(|| named("experimental-encryption-provider-config"));
        let audit_policy = named("audit-policy-file");
        let authentication = named("authentication-config");
        let authorization = named("authorization-config");
        Component {
            encryption: encryption.as_ref().map(api_server::encryption),
            audit_policy: audit_policy.as_ref().map(api_server::audit_policy),
            anonymous: authentication.as_ref().and_then(|document| {
                // Read, and silent: then everybody may ask, unless the flag says otherwise.
                let open = || Anonymous { enabled: true, paths: Vec::new() };
                let by_flag = flags.contains_key("anonymous-auth");
                api_server::anonymous(document).or_else(|| (!by_flag).then(open))
            }),
            authorizers: authorization.as_ref().map(api_server::authorizers),
            version: self.versions.of(&program.process),
            config: None,
            flags,
        }
    }

    /// `None` where its configuration file could not be read: then nothing is known of it.
    fn etcd(&mut self, program: &Program) -> Option<Component> {
        let mut flags = flags_of(program);
        if let Some(path) = flags.get("config-file").cloned() {
            let mut of_file = etcd::of_file(&self.document("etcd", &path)?);
            of_file.insert("config-file".to_owned(), path);
            flags = of_file;
        } else {
            let environment = environment(program);
            let variables = environment.split('\0').filter_map(|pair| pair.split_once('='));
            etcd::add_environment(&mut flags, variables);
        }
        Some(Component { version: None, flags, ..Component::default() })
    }

    /// Told by what the provider's own node images give their kubelet.
    pub(super) fn provider(&self, kubelet: Option<&Component>) -> Option<String> {
        let kubelet = kubelet?;
        let labels = kubelet.flags.get("node-labels").map_or("", String::as_str);
        let provider = provider::of(kubelet.version.as_deref(), provider::label_names(labels));
        // Bottlerocket and AL2023 label by file; their bootstrap leaves this directory on every EKS node.
        let eks = || self.host.stat("/etc/eks").is_ok_and(|found| found.is_some()).then_some("eks");
        provider.or_else(eks).map(str::to_owned)
    }
}

fn flags_of(program: &Program) -> Flags {
    flags::parse(program.arguments.iter().map(String::as_str))
}

fn environment(program: &Program) -> String {
    use std::io::Read;
    let mut bytes = Vec::new();
    if let Ok(file) = std::fs::File::open(program.process.join("environ")) {
        // What cannot be read is missing, as it would be for a program of another user.
        let _partial = file.take(MAX_ENVIRONMENT).read_to_end(&mut bytes);
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
