//! Command lines of Kubernetes' programs → flags by name.
//! Source: spf13/pflag `flag.go`, component-base `cli/flag/flags.go` (underscores), Go `flag` for etcd's single dash.
use seawall_model::facts::{Flags, MASKED};

/// Arguments of one process that are looked at; kube-apiserver has about 60.
pub const MAX_ARGUMENTS: usize = 512;
/// Bytes of one value that are kept: lists of cipher suites stay under 1 KB.
const MAX_VALUE: usize = 4096;

/// Flags whose values add up when they are given again (pflag's slices and maps).
const LISTS: &[&str] = &[
    "admission-control",
    "authorization-mode",
    "disable-admission-plugins",
    "enable-admission-plugins",
    "etcd-servers",
    "feature-gates",
    "node-labels",
    "service-account-issuer",
    "service-account-key-file",
    "tls-cipher-suites",
];

/// Flags that are kept with their values: paths, switches, numbers and names. Everything else may hold a token, or a
/// URL with a password, and keeps its name alone.
const HARMLESS: &[&str] = &[
    "address",
    "admission-control",
    "admission-control-config-file",
    "advertise-address",
    "allow-privileged",
    "anonymous-auth",
    "authentication-config",
    "authentication-kubeconfig",
    "authentication-token-webhook",
    "authorization-config",
    "authorization-kubeconfig",
    "authorization-mode",
    "auto-tls",
    "audit-log-format",
    "audit-log-maxage",
    "audit-log-maxbackup",
    "audit-log-maxsize",
    "audit-log-path",
    "audit-policy-file",
    "audit-webhook-config-file",
    "basic-auth-file",
    "bind-address",
    "bootstrap-kubeconfig",
    "cert-dir",
    "cert-file",
    "cipher-suites",
    "client-ca-file",
    "client-cert-auth",
    "cloud-provider",
    "cluster-signing-cert-file",
    "cluster-signing-key-file",
    "config",
    "config-dir",
    "config-file",
    "container-runtime-endpoint",
    "data-dir",
    "disable-admission-plugins",
    "enable-admission-plugins",
    "encryption-provider-config",
    "etcd-cafile",
    "etcd-certfile",
    "etcd-keyfile",
    "event-burst",
    "event-qps",
    "experimental-encryption-provider-config",
    "feature-gates",
    "hostname-override",
    "image-credential-provider-bin-dir",
    "image-credential-provider-config",
    "insecure-bind-address",
    "insecure-port",
    "key-file",
    "kubeconfig",
    "kubelet-certificate-authority",
    "kubelet-client-certificate",
    "kubelet-client-key",
    "kubelet-https",
    "leader-elect",
    "make-iptables-util-chains",
    "metrics-bind-address",
    "node-ip",
    "node-labels",
    "peer-auto-tls",
    "peer-cert-file",
    "peer-client-cert-auth",
    "peer-key-file",
    "peer-trusted-ca-file",
    "pod-manifest-path",
    "pod-max-pids",
    "port",
    "profiling",
    "protect-kernel-defaults",
    "read-only-port",
    "request-timeout",
    "requestheader-client-ca-file",
    "root-ca-file",
    "root-dir",
    "rotate-certificates",
    "rotate-server-certificates",
    "seccomp-default",
    "secure-port",
    "service-account-extend-token-expiration",
    "service-account-key-file",
    "service-account-lookup",
    "service-account-private-key-file",
    "service-account-signing-key-file",
    "streaming-connection-idle-timeout",
    "terminated-pod-gc-threshold",
    "tls-cert-file",
    "tls-cipher-suites",
    "tls-min-version",
    "tls-private-key-file",
    "token-auth-file",
    "trusted-ca-file",
    "use-service-account-credentials",
    "v",
];

/// Switches, whose value pflag reads by `strconv.ParseBool`: kept as `true` or `false`.
const SWITCHES: &[&str] = &[
    "anonymous-auth",
    "auto-tls",
    "client-cert-auth",
    "kubelet-https",
    "peer-auto-tls",
    "peer-client-cert-auth",
    "profiling",
    "service-account-extend-token-expiration",
    "service-account-lookup",
    "use-service-account-credentials",
];

/// Whether the value of this flag may leave the node.
pub fn known_harmless(name: &str) -> bool {
    HARMLESS.contains(&name)
}

/// The flags in `arguments`, which do not begin with the program's name. Kubernetes' programs take no other arguments,
/// so a word after a flag without `=` is its value.
pub fn parse<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Flags {
    let mut flags = Flags::new();
    let mut words = arguments.into_iter().take(MAX_ARGUMENTS).peekable();
    while let Some(word) = words.next() {
        let Some(name) = word.strip_prefix("--").or_else(|| word.strip_prefix('-')) else {
            continue;
        };
        let (name, value) = match name.split_once('=') {
            Some((name, value)) => (name, value),
            None => (name, words.next_if(|next| !next.starts_with('-')).unwrap_or("true")),
        };
        if !name.is_empty() {
            add(&mut flags, &name.replace('_', "-"), value);
        }
    }
    flags
}

fn add(flags: &mut Flags, name: &str, value: &str) {
    if !known_harmless(name) {
        flags.insert(name.chars().take(128).collect(), MASKED.to_owned());
        return;
    }
    let mut value: String = value.chars().take(MAX_VALUE).collect();
    if SWITCHES.contains(&name) {
        value = match value.as_str() {
            "1" | "t" | "T" | "TRUE" | "True" => "true".to_owned(),
            "0" | "f" | "F" | "FALSE" | "False" => "false".to_owned(),
            _ => value,
        };
    }
    match flags.get_mut(name) {
        Some(before) if LISTS.contains(&name) && !before.is_empty() => {
            if before.len() < MAX_VALUE {
                before.push(',');
                before.push_str(&value);
            }
        }
        Some(before) => *before = value,
        None => _ = flags.insert(name.to_owned(), value),
    }
}

/// The arguments that follow the program `name` in a command line: past a runner such as kops' `go-runner`, and into
/// the text that `sh -c` is given. `None` where the command does not start it.
pub fn of_program(words: &[String], names: &[&str]) -> Option<Vec<String>> {
    let is = |word: &String| names.contains(&word.rsplit('/').next().unwrap_or_default());
    if let Some(at) = words.iter().position(is) {
        return Some(words[at + 1..].to_vec());
    }
    let script = words.iter().find(|word| word.contains(char::is_whitespace))?;
    let words = shell_words(script);
    let at = words.iter().position(is)?;
    let ends =
        |word: &&String| !matches!(word.as_str(), "|" | "||" | "&&" | ";" | "&" | ">" | ">>");
    Some(words[at + 1..].iter().take_while(ends).cloned().collect())
}

/// A shell's words, quotes and backslashes removed; variables are left as they are written.
fn shell_words(script: &str) -> Vec<String> {
    let (mut words, mut word, mut open) = (Vec::new(), String::new(), false);
    let mut quote = None;
    let mut letters = script.chars();
    while let Some(letter) = letters.next() {
        match (quote, letter) {
            (None, '\'' | '"') => (quote, open) = (Some(letter), true),
            (Some(mark), _) if mark == letter => quote = None,
            (None | Some('"'), '\\') => match letters.next() {
                Some('\n') | None => {}
                Some(escaped) => {
                    word.push(escaped);
                    open = true;
                }
            },
            (None, _) if letter.is_whitespace() => {
                if open {
                    words.push(std::mem::take(&mut word));
                }
                open = false;
            }
            _ => {
                word.push(letter);
                open = true;
            }
        }
    }
    if open {
        words.push(word);
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(line: &str, expected: &[(&str, &str)]) {
        let flags = parse(line.split(' '));
        let found: Vec<_> = flags.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn flags_as_pflag_reads_them() {
        check(
            "--anonymous-auth=false --profiling",
            &[("anonymous-auth", "false"), ("profiling", "true")],
        );
        check(
            "--profiling=0 --anonymous-auth=T",
            &[("anonymous-auth", "true"), ("profiling", "false")],
        );
        check("--config /a --v 2", &[("config", "/a"), ("v", "2")]);
        check("--tls_min_version=VersionTLS12", &[("tls-min-version", "VersionTLS12")]);
        check("-data-dir=/var/lib/etcd", &[("data-dir", "/var/lib/etcd")]);
        check("--secure-port=1 --secure-port=2", &[("secure-port", "2")]);
        check(
            "--authorization-mode=Node --authorization-mode=RBAC",
            &[("authorization-mode", "Node,RBAC")],
        );
        check(
            "--profiling --anonymous-auth false",
            &[("anonymous-auth", "false"), ("profiling", "true")],
        );
    }

    #[test]
    fn values_that_may_be_secret_stay_behind() {
        check(
            "--etcd-servers=https://u:password@h --initial-cluster-token s3cret --oidc-client-id=x",
            &[
                ("etcd-servers", MASKED),
                ("initial-cluster-token", MASKED),
                ("oidc-client-id", MASKED),
            ],
        );
    }

    #[test]
    fn harmless_names_stand_once() {
        let names: std::collections::BTreeSet<_> = HARMLESS.iter().collect();
        assert_eq!(names.len(), HARMLESS.len());
    }

    #[test]
    fn programs_behind_runners_and_shells() {
        let words = |line: &[&str]| line.iter().map(ToString::to_string).collect::<Vec<_>>();
        let of = |line: &[&str]| of_program(&words(line), &["kube-apiserver"]);
        assert_eq!(of(&["/usr/bin/kube-apiserver", "--v=2"]), Some(words(&["--v=2"])));
        assert_eq!(
            of(&["/go-runner", "--log-file=/l", "/usr/local/bin/kube-apiserver", "--v=2"]),
            Some(words(&["--v=2"]))
        );
        let script =
            "exec /usr/local/bin/kube-apiserver --config='/a b' \\\n --v=2 > /var/log/x 2>&1";
        assert_eq!(of(&["/bin/sh", "-c", script]), Some(words(&["--config=/a b", "--v=2"])));
        assert_eq!(of(&["sleep", "1"]), None);
    }
}
