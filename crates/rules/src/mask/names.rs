//! Names whose values are secrets, and values that are none.
use super::MASKED;

/// Last words of a name that make its value a secret.
const SECRET_WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pass",
    "secret",
    "secrets",
    "token",
    "bearer",
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
    "cookie",
    "cookies",
    "setcookie",
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

/// Directories that a path to a secret begins with. A slash alone proves no path: base64 has it too.
const ROOTS: &[&str] = &[
    "/app/",
    "/config/",
    "/dev/",
    "/etc/",
    "/home/",
    "/mnt/",
    "/opt/",
    "/proc/",
    "/root/",
    "/run/",
    "/secrets/",
    "/srv/",
    "/tmp/",
    "/usr/",
    "/var/",
    "/vault/",
];

/// Whether the value of a flag, variable or key of this name is secret: by its last words, in any notation.
pub(super) fn is_secret_name(name: &str) -> bool {
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
pub(super) fn words(name: &str) -> Vec<String> {
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
pub(super) fn is_secret_value(value: &str) -> bool {
    let word = matches!(
        value.to_ascii_lowercase().as_str(),
        "" | "-"
            | "true"
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
    !word && value != MASKED && !is_reference(value)
}

/// `$NAME`, `${…}`, `$(…)` or a path. A sign before anything else is part of the secret.
fn is_reference(value: &str) -> bool {
    let name = |name: &str| {
        !name.starts_with(|c: char| c.is_ascii_digit())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if let Some(rest) = value.strip_prefix('$') {
        return rest.starts_with(['{', '(']) || (!rest.is_empty() && name(rest));
    }
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-~".contains(&byte);
    ROOTS.iter().any(|root| value.starts_with(root)) && value.bytes().all(plain)
}
