//! Secrets in argument vectors, masked before an event leaves the sensor: values of known flags and variables,
//! credentials in URLs and headers, the shapes of known keys, and words too random to be anything else.
//!
//! Ids and digests that investigations need stay: paths, image digests, UUIDs, Git revisions, file hashes.
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

/// What stands where a secret stood.
pub const MASKED: &str = "<masked>";

/// Shorter random-looking words are too often names.
const MIN_RANDOM_CHARS: usize = 24;
/// Longer ones are encoded programs or data, which are evidence.
const MAX_RANDOM_CHARS: usize = 512;
/// Bits per character; 24 random characters of base64 have 4.3 on average, words of a language below 3.9.
const MIN_RANDOM_BITS: f64 = 3.9;

/// Short flags that carry a secret, by program.
const SHORT_FLAGS: &[(&str, &[&str])] = &[
    ("mysql", &["-p"]),
    ("mysqldump", &["-p"]),
    ("mysqladmin", &["-p"]),
    ("mariadb", &["-p"]),
    ("mariadb-dump", &["-p"]),
    ("mongo", &["-p"]),
    ("mongosh", &["-p"]),
    ("mongodump", &["-p"]),
    ("sshpass", &["-p"]),
    ("docker", &["-p"]),
    ("podman", &["-p"]),
    ("nerdctl", &["-p"]),
    ("helm", &["-p"]),
    ("oc", &["-p"]),
    ("az", &["-p"]),
    ("redis-cli", &["-a"]),
    ("ldapsearch", &["-w"]),
    ("ldapmodify", &["-w"]),
    ("sqlcmd", &["-P"]),
    ("bcp", &["-P"]),
    ("zip", &["-P"]),
    ("unzip", &["-P"]),
    ("7z", &["-p"]),
    ("htpasswd", &["-b"]),
    ("xfreerdp", &["/p:"]),
];

/// Programs whose secret follows a short flag without a blank; of the others `-pX` is `-p` with a port or a path.
const ATTACHED: &[&str] = &[
    "mysql",
    "mysqldump",
    "mysqladmin",
    "mariadb",
    "mariadb-dump",
    "sshpass",
    "sqlcmd",
    "7z",
    "zip",
    "unzip",
];

/// Programs that need `login` among their arguments for `-p` to be a password, not a port.
const ONLY_LOGIN: &[&str] = &["docker", "podman", "nerdctl", "helm", "oc", "az"];

/// Programs whose `-u` is `user:password`.
const USER_PASSWORD: &[&str] = &["curl", "wget", "http"];

/// Last words of a name that make its value a secret.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pass",
    "secret",
    "secrets",
    "token",
    "apikey",
    "credential",
    "credentials",
    "pgpassword",
    "passcode",
    "authtoken",
    "accesstoken",
    "clientsecret",
    "privatekey",
    "secretkey",
    "accountkey",
    "sharedaccesskey",
    "sig",
    "signature",
    "sharedaccesssignature",
    "userpass",
    "requirepass",
    "masterauth",
];

/// Words before `key` that make it a secret.
const KEY_KINDS: &[&str] = &[
    "api",
    "access",
    "secret",
    "private",
    "auth",
    "encryption",
    "signing",
    "account",
    "master",
    "service",
    "app",
    "license",
    "storage",
    "shared",
    "session",
    "jwt",
    "hmac",
];

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("a constant pattern, compiled by the tests"));
    };
}

// `NAME=value`, `"name": "value"`, `name: value`.
pattern!(
    ASSIGNMENT,
    r#"([A-Za-z_][A-Za-z0-9_.\-]*)(=|["']\s*[:=]\s*|:\s+)("[^"]*"|'[^']*'|[^\s"'&;,}]+)"#
);
// `--token value` inside one argument, as `sh -c` carries it.
pattern!(
    INLINE_FLAG,
    r#"(^|\s)(--[A-Za-z][A-Za-z0-9_\-]*)(\s+)("[^"]*"|'[^']*'|[^\s"'\-][^\s"']*)"#
);
pattern!(USERINFO, r"(://[^/\s:@]*:)([^/\s@]+)(@)");
pattern!(
    HEADER,
    r#"(?i)\b((?:proxy-)?authorization|x-api-key|x-auth-token|x-vault-token|private-token|x-amz-security-token|cookie)(\s*[:=]\s*)((?:bearer|basic|token|digest|negotiate)\s+)?([^\s"']+)"#
);
pattern!(BEARER, r#"(?i)\b(bearer\s+)([A-Za-z0-9._~+/\-]{16,}=*)"#);
pattern!(
    KNOWN_KEYS,
    concat!(
        r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
        r"|\bgh[pousr]_[A-Za-z0-9]{20,}",
        r"|\bgithub_pat_[A-Za-z0-9_]{20,}",
        r"|\bgl(?:pat|rt|dt)-[A-Za-z0-9_\-]{20,}",
        r"|\bxox[abeprs]-[A-Za-z0-9\-]{10,}",
        r"|\b[sr]k_(?:live|test)_[A-Za-z0-9]{16,}",
        r"|\bsk-[A-Za-z0-9_\-]{20,}",
        r"|\bAIza[0-9A-Za-z_\-]{35}",
        r"|\bya29\.[0-9A-Za-z_\-]{20,}",
        r"|\bnpm_[A-Za-z0-9]{36}",
        r"|\bpypi-[A-Za-z0-9_\-]{40,}",
        r"|\bhv[sb]\.[A-Za-z0-9_\-]{20,}",
        r"|\bdop_v1_[a-f0-9]{64}",
        r"|\bSG\.[A-Za-z0-9_\-]{16,}\.[A-Za-z0-9_\-]{16,}",
        r"|\bK10[0-9a-f]{64}::[^\s]+",
        r"|\beyJ[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]{8,}\.[A-Za-z0-9_\-]*",
        r"|(?s:-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z))",
    )
);
pattern!(WORD, r"[A-Za-z0-9+_\-]{24,}={0,2}");

/// Masks an argument vector in place, `argv[0]` included. Returns whether anything was masked.
pub fn mask_arguments(arguments: &mut [String]) -> bool {
    let program = arguments.first().map(|first| program_name(first).to_owned()).unwrap_or_default();
    let login = arguments.iter().any(|argument| argument == "login");
    let mut masked = false;
    let mut follows = false;
    for argument in arguments.iter_mut() {
        let changed = if std::mem::take(&mut follows) && is_secret_value(argument) {
            Some(MASKED.to_owned())
        } else if let Some(change) = short_flag(&program, argument, login) {
            match change {
                Short::Next => {
                    follows = true;
                    None
                }
                Short::Attached(text) => Some(text),
            }
        } else if is_secret_flag(argument) {
            follows = true;
            None
        } else {
            match mask_text(argument) {
                Cow::Borrowed(_) => None,
                Cow::Owned(text) => Some(text),
            }
        };
        if let Some(text) = changed {
            *argument = text;
            masked = true;
        }
    }
    user_and_password(&program, arguments) || masked
}

/// Masks secrets inside one text; borrowed where there are none.
pub fn mask_text(text: &str) -> Cow<'_, str> {
    let mut result = Cow::Borrowed(text);
    let mut change = |pattern: &Regex, with: &dyn Fn(&Captures<'_>) -> Option<String>| {
        let mut changed = false;
        let replaced = pattern.replace_all(&result, |found: &Captures<'_>| match with(found) {
            Some(replacement) => {
                changed = true;
                replacement
            }
            None => found[0].to_owned(),
        });
        if changed {
            result = Cow::Owned(replaced.into_owned());
        }
    };
    change(&KNOWN_KEYS, &|_| Some(MASKED.to_owned()));
    change(&HEADER, &|found| {
        let scheme = found.get(3).map_or("", |scheme| scheme.as_str());
        is_secret_value(&found[4]).then(|| format!("{}{}{scheme}{MASKED}", &found[1], &found[2]))
    });
    change(&BEARER, &|found| Some(format!("{}{MASKED}", &found[1])));
    change(&USERINFO, &|found| {
        is_secret_value(&found[2]).then(|| format!("{}{MASKED}{}", &found[1], &found[3]))
    });
    change(&ASSIGNMENT, &|found| {
        let (name, value) = (&found[1], &found[3]);
        (is_secret_name(name) && is_secret_value(unquoted(value)))
            .then(|| format!("{name}{}{}", &found[2], requoted(value)))
    });
    change(&INLINE_FLAG, &|found| {
        (is_secret_name(&found[2]) && is_secret_value(unquoted(&found[4])))
            .then(|| format!("{}{}{}{}", &found[1], &found[2], &found[3], requoted(&found[4])))
    });
    change(&WORD, &|found| is_random(&found[0]).then(|| MASKED.to_owned()));
    result
}

enum Short {
    Next,
    Attached(String),
}

fn short_flag(program: &str, argument: &str, login: bool) -> Option<Short> {
    let (_, flags) = SHORT_FLAGS.iter().find(|(known, _)| *known == program)?;
    if ONLY_LOGIN.contains(&program) && !login {
        return None;
    }
    for flag in *flags {
        match argument.strip_prefix(flag) {
            Some("") => return Some(Short::Next),
            Some(value) if flag.ends_with(':') && is_secret_value(value) => {
                return Some(Short::Attached(format!("{flag}{MASKED}")));
            }
            Some(value) if ATTACHED.contains(&program) && is_secret_value(value) => {
                return Some(Short::Attached(format!("{flag}{MASKED}")));
            }
            _ => {}
        }
    }
    None
}

/// `curl -u user:password`, in one argument or two.
fn user_and_password(program: &str, arguments: &mut [String]) -> bool {
    if !USER_PASSWORD.contains(&program) {
        return false;
    }
    let mut masked = false;
    let mut follows = false;
    for argument in arguments.iter_mut().skip(1) {
        let prefix = ["--user=", "--proxy-user=", "-u", "-U"]
            .iter()
            .find(|flag| argument.starts_with(**flag));
        let flag = matches!(argument.as_str(), "-u" | "-U" | "--user" | "--proxy-user");
        let start = match prefix {
            _ if flag => None,
            _ if follows => Some(0),
            Some(prefix) => Some(prefix.len()),
            None => None,
        };
        follows = flag;
        let Some((user, password)) = start.and_then(|start| argument[start..].split_once(':'))
        else {
            continue;
        };
        if is_secret_value(password) {
            let kept = argument.len() - password.len();
            let _ = user;
            argument.truncate(kept);
            argument.push_str(MASKED);
            masked = true;
        }
    }
    masked
}

fn program_name(argument: &str) -> &str {
    // Login shells put a dash before their name.
    argument.rsplit('/').next().unwrap_or_default().trim_start_matches('-')
}

fn is_secret_flag(argument: &str) -> bool {
    argument.starts_with("--") && !argument.contains(['=', ' ']) && is_secret_name(argument)
        || (argument.starts_with('-')
            && matches!(argument.trim_start_matches('-'), "password" | "pass" | "token" | "secret"))
}

/// Whether the value of a flag, variable or key of this name is secret: by its last words, in any notation.
fn is_secret_name(name: &str) -> bool {
    let words = words(name);
    let Some(last) = words.last().map(String::as_str) else { return false };
    if words.iter().any(|word| word == "public") {
        return false;
    }
    if SECRET_WORDS.contains(&last) || (last == "pwd" && words.len() > 1) {
        return true;
    }
    last == "key" && words.len() > 1 && KEY_KINDS.contains(&words[words.len() - 2].as_str())
}

/// `AWS_SECRET_ACCESS_KEY`, `--client-secret`, `clientSecret` into lower-case words.
fn words(name: &str) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    let mut previous = ' ';
    for c in name.chars() {
        if !c.is_ascii_alphanumeric() {
            words.push(String::new());
        } else {
            if words.is_empty() || (c.is_ascii_uppercase() && previous.is_ascii_lowercase()) {
                words.push(String::new());
            }
            if let Some(word) = words.last_mut() {
                word.push(c.to_ascii_lowercase());
            }
        }
        previous = c;
    }
    words.retain(|word| !word.is_empty());
    words
}

/// References to a secret, and words that are none, stay readable.
fn is_secret_value(value: &str) -> bool {
    let reference =
        ["$", "/", "./", "../", "~/", "@", "file:", "env:", "<masked>", "{{", "-", "%("];
    let word = matches!(
        value.to_ascii_lowercase().as_str(),
        "" | "true"
            | "false"
            | "none"
            | "null"
            | "nil"
            | "yes"
            | "no"
            | "stdin"
            | "prompt"
            | "auto"
            | "env"
            | "file"
    );
    !word && !reference.iter().any(|start| value.starts_with(start))
}

fn unquoted(value: &str) -> &str {
    value.trim_matches(|c| c == '"' || c == '\'')
}

fn requoted(value: &str) -> String {
    match value.chars().next().filter(|c| matches!(c, '"' | '\'')) {
        Some(quote) => format!("{quote}{MASKED}{quote}"),
        None => MASKED.to_owned(),
    }
}

/// Whether a word looks drawn at random: all of upper case, lower case and digits, mixed finely, with high entropy.
fn is_random(word: &str) -> bool {
    let length = word.chars().count();
    if !(MIN_RANDOM_CHARS..=MAX_RANDOM_CHARS).contains(&length) {
        return false;
    }
    let has = |class: fn(&char) -> bool| word.chars().any(|c| class(&c));
    if !has(char::is_ascii_uppercase)
        || !has(char::is_ascii_lowercase)
        || !has(char::is_ascii_digit)
    {
        return false;
    }
    // Subresource integrity (`sha512-…`) is a digest; many short words are a name.
    if word.starts_with("sha") && word.as_bytes().get(6) == Some(&b'-') {
        return false;
    }
    let parts: Vec<&str> = word.split(['-', '_']).collect();
    if parts.len() >= 3 && parts.iter().all(|part| part.len() < 16) {
        return false;
    }
    let bytes = word.as_bytes();
    let borders = bytes
        .windows(2)
        .filter(|pair| {
            pair.iter().all(u8::is_ascii_alphanumeric)
                && pair[0].is_ascii_digit() != pair[1].is_ascii_digit()
        })
        .count();
    borders >= 3 && bits_per_char(bytes) >= MIN_RANDOM_BITS
}

/// Shannon entropy of the bytes.
fn bits_per_char(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let total = bytes.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(arguments: &[&str], expected: &[&str]) {
        let mut masked: Vec<String> =
            arguments.iter().map(|argument| (*argument).to_owned()).collect();
        let changed = mask_arguments(&mut masked);
        assert_eq!(masked, expected);
        assert_eq!(changed, arguments != expected, "says whether it masked: {arguments:?}");
        let again = mask_arguments(&mut masked.clone());
        assert!(!again, "masking twice changes nothing: {masked:?}");
    }

    #[track_caller]
    fn stays(arguments: &[&str]) {
        check(arguments, arguments);
    }

    #[test]
    fn flags() {
        check(&["app", "--password", "hunter2"], &["app", "--password", "<masked>"]);
        check(&["app", "--password=hunter2", "-v"], &["app", "--password=<masked>", "-v"]);
        check(&["app", "-password", "hunter2"], &["app", "-password", "<masked>"]);
        check(
            &["app", "--db-password", "a", "--x", "b"],
            &["app", "--db-password", "<masked>", "--x", "b"],
        );
        check(&["app", "--clientSecret=abc"], &["app", "--clientSecret=<masked>"]);
        check(&["app", "--api-key", "abc"], &["app", "--api-key", "<masked>"]);
        check(
            &["kubectl", "--token=abc", "get", "pods"],
            &["kubectl", "--token=<masked>", "get", "pods"],
        );
        check(&["app", "--set", "auth.password=abc"], &["app", "--set", "auth.password=<masked>"]);
        check(
            &["/usr/bin/mysql", "-uroot", "-phunter2"],
            &["/usr/bin/mysql", "-uroot", "-p<masked>"],
        );
        check(&["mysql", "-p", "hunter2"], &["mysql", "-p", "<masked>"]);
        check(&["sshpass", "-p", "x1", "ssh", "h"], &["sshpass", "-p", "<masked>", "ssh", "h"]);
        check(
            &["docker", "login", "-u", "me", "-p", "x1"],
            &["docker", "login", "-u", "me", "-p", "<masked>"],
        );
        check(&["redis-cli", "-a", "x1"], &["redis-cli", "-a", "<masked>"]);
        check(&["curl", "-u", "me:x1", "http://h"], &["curl", "-u", "me:<masked>", "http://h"]);
        check(&["curl", "-ume:x1"], &["curl", "-ume:<masked>"]);
        check(&["curl", "--user=me:x1"], &["curl", "--user=me:<masked>"]);
    }

    #[test]
    fn variables_headers_urls() {
        check(&["env", "PGPASSWORD=x", "psql"], &["env", "PGPASSWORD=<masked>", "psql"]);
        check(&["env", "MYSQL_PWD=x"], &["env", "MYSQL_PWD=<masked>"]);
        check(&["env", "AWS_SECRET_ACCESS_KEY=x"], &["env", "AWS_SECRET_ACCESS_KEY=<masked>"]);
        check(
            &["sh", "-c", "TOKEN='a b' run --secret s1"],
            &["sh", "-c", "TOKEN='<masked>' run --secret <masked>"],
        );
        check(
            &["sh", "-c", r#"echo '{"password": "x"}'"#],
            &["sh", "-c", r#"echo '{"password": "<masked>"}'"#],
        );
        check(
            &["c", "Server=db;User=a;Password=x;Port=1"],
            &["c", "Server=db;User=a;Password=<masked>;Port=1"],
        );
        check(
            &["git", "clone", "https://me:pw@host/r.git"],
            &["git", "clone", "https://me:<masked>@host/r.git"],
        );
        check(&["c", "postgres://u:p%40ss@db:5432/x"], &["c", "postgres://u:<masked>@db:5432/x"]);
        check(
            &["curl", "-H", "Authorization: Bearer abc"],
            &["curl", "-H", "Authorization: Bearer <masked>"],
        );
        check(
            &["curl", "-H", "Authorization: Basic dTpw"],
            &["curl", "-H", "Authorization: Basic <masked>"],
        );
        check(&["curl", "-HX-Api-Key: abc"], &["curl", "-HX-Api-Key: <masked>"]);
        check(
            &["curl", "https://h/p?a=1&sig=abc&b=2"],
            &["curl", "https://h/p?a=1&sig=<masked>&b=2"],
        );
    }

    #[test]
    fn shapes_of_keys() {
        for key in [
            "AKIAIOSFODNN7EXAMPLE",
            "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
            "xoxb-1234567890-abcdefghij",
            "glpat-abcdefghijklmnopqrst",
            "sk_live_abcdefghijklmnop",
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJl",
            "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----",
            "-----BEGIN PRIVATE KEY-----\nMIIE",
            "wJalrXUtnFEMI2K7MDENGbPxRfiCYEX4MPLEKEY9",
            "dGhpc0lzQVJhbmRvbTEyM1NlY3JldDQ1Ng==",
        ] {
            check(&["run", key], &["run", MASKED]);
            check(&["run", &format!("x {key}")], &["run", "x <masked>"]);
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        stays(&["nginx", "-g", "daemon off;"]);
        stays(&["mkdir", "-p", "/var/lib/app/releases"]);
        stays(&["ssh", "-p", "2222", "host"]);
        stays(&["docker", "run", "-p", "8080:80", "nginx"]);
        stays(&["app", "--password-file", "/run/secrets/pw"]);
        stays(&["app", "--password-file=/run/secrets/pw"]);
        stays(&["app", "--token=/var/run/secrets/token"]);
        stays(&["app", "--token", "$TOKEN"]);
        stays(&["app", "--password=${PW}"]);
        stays(&["app", "--api-key-id", "abc"]);
        stays(&["app", "--public-key=abc"]);
        stays(&["app", "--token-ttl=1h"]);
        stays(&["app", "--use-token=false"]);
        stays(&["sort", "--key=2"]);
        stays(&["redis-cli", "SET", "key", "value"]);
        stays(&[
            "pull",
            "nginx@sha256:9c4b7ad2a9f3d6c1f7f9f7a2d3c5a1b0e8d7c6b5a4f3e2d1c0b9a8f7e6d5c4b3",
        ]);
        stays(&["pull", "my-secret:latest"]);
        stays(&["git", "checkout", "da39a3ee5e6b4b0d3255bfef95601890afd80709"]);
        stays(&["get", "3e41dc6b-08a8-44db-bc2a-3724b18ab19a"]);
        stays(&[
            "cat",
            "/var/lib/kubelet/pods/3e41dc6b-08a8-44db-bc2a-3724b18ab19a/volumes/kubernetes.io~secret/x",
        ]);
        stays(&["md5", "d41d8cd98f00b204e9800998ecf8427e"]);
        stays(&["kubectl", "logs", "web-7d4b9c6f5d-x2x9k"]);
        stays(&["kubectl", "get", "secret", "my-credentials"]);
        stays(&[
            "java",
            "-Dspring.profiles.active=production",
            "org.springframework.boot.loader.JarLauncher",
        ]);
        stays(&["java", "AbstractSingletonProxyFactoryBeanImplementation2"]);
        stays(&["npm", "sha512-Vd1Aq2Bx3Cz4Dy5Ew6Fv7Gu8Ht9Is0JrKqLpMoNnOmPlQkRjSiThUgVf=="]);
        stays(&["runc", "--root", "/run/containerd/runc/k8s.io", "create"]);
        stays(&["ls", "/nix/store/0c4h3v2xk7qv9i8mcl1w5gk1b2n3p4r5-bash-5.2/bin"]);
        stays(&["arn:aws:secretsmanager:eu-west-1:123456789012:secret:name"]);
        stays(&["curl", "http://169.254.169.254/latest/meta-data/"]);
        stays(&["curl", "-u", "me", "http://user@host:80/"]);
        stays(&["go", "get", "golang.org/x/net@v0.0.0-20220722155237-a158d28d115b"]);
        stays(&[]);
        stays(&[""]);
    }
}
