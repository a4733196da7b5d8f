//! Programs whose secrets follow short flags or stand alone, as their manuals have it.

/// What a flag's value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    Secret,
    /// A name, this sign, the secret.
    After(char),
    /// `pass:SECRET`, or where the secret is to be read from. Source: openssl-passphrase-options(1).
    Source,
}

/// Flags of some programs.
struct Flags {
    programs: &'static [&'static str],
    /// As written; a single letter may end a cluster of `bare` ones, `/p:` is always followed at once.
    flags: &'static [&'static str],
    /// Letters that take no value.
    bare: &'static str,
    /// Whether a single letter's value may follow without a blank; of the others `-pX` is a port or a path.
    attached: bool,
    takes: Takes,
}

const fn flags(
    programs: &'static [&'static str],
    flags: &'static [&'static str],
    bare: &'static str,
    attached: bool,
    takes: Takes,
) -> Flags {
    Flags { programs, flags, bare, attached, takes }
}

static FLAGS: &[Flags] = &[
    flags(
        &[
            "mysql",
            "mysqldump",
            "mysqladmin",
            "mariadb",
            "mariadb-dump",
            "sshpass",
            "7z",
            "7za",
            "7zr",
        ],
        &["-p"],
        "v",
        true,
        Takes::Secret,
    ),
    flags(&["mongo", "mongosh", "mongodump", "mongorestore"], &["-p"], "", false, Takes::Secret),
    flags(LOGIN, &["-p"], "", false, Takes::Secret),
    flags(&["redis-cli"], &["-a"], "", false, Takes::Secret),
    flags(
        &["ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldapwhoami"],
        &["-w"],
        "xvnLc",
        true,
        Takes::Secret,
    ),
    flags(&["sqlcmd", "bcp", "osql"], &["-P"], "", true, Takes::Secret),
    flags(&["zip", "unzip"], &["-P"], "aejmnoqruvx9", true, Takes::Secret),
    flags(&["xfreerdp", "xfreerdp3", "wlfreerdp"], &["/p:"], "", true, Takes::Secret),
    flags(&["plink", "pscp", "psftp"], &["-pw"], "", false, Takes::Secret),
    flags(&["openssl"], &["-k", "-K"], "", false, Takes::Secret),
    flags(&["openssl"], &["-pass", "-passin", "-passout"], "", false, Takes::Source),
    flags(&["curl"], &["-u", "-U", "--user", "--proxy-user"], CURL_BARE, true, Takes::After(':')),
    // Without `=` it is a file.
    flags(&["curl"], &["-b", "--cookie"], CURL_BARE, true, Takes::After('=')),
    flags(&["wget"], &["--user"], "", false, Takes::After(':')),
    flags(&["http", "https", "xh"], &["-a", "--auth"], "bfhjv", true, Takes::After(':')),
    flags(
        &["smbclient", "rpcclient", "smbget", "smbcacls", "net"],
        &["-U", "--user"],
        "kNVPg",
        true,
        Takes::After('%'),
    ),
    flags(&["lftp"], &["-u"], "", false, Takes::After(',')),
];

const CURL_BARE: &str = "#012346afgGiIjJklLMnNOpqRsSvV";

/// Programs that need `login` among their arguments for `-p` to be a password, not a port.
const LOGIN: &[&str] = &["docker", "podman", "nerdctl", "helm", "oc", "az", "buildah", "skopeo"];

/// Programs that set a named value: `aws configure set aws_secret_access_key VALUE`.
const SETTING: &[&str] =
    &["aws", "composer", "gcloud", "git", "npm", "pip", "pip3", "pnpm", "poetry", "yarn"];

/// Where a flag's value is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    Next,
    /// In the same argument, from this byte on.
    From(usize),
}

/// The value that an argument of a program introduces or holds. `login`: the word is among the arguments.
pub(super) fn value_of(program: &str, argument: &str, login: bool) -> Option<(Value, Takes)> {
    if LOGIN.contains(&program) && !login {
        return None;
    }
    let known = FLAGS.iter().filter(|flags| flags.programs.contains(&program));
    known
        .flat_map(|known| known.flags.iter().map(move |flag| (known, *flag)))
        .find_map(|(known, flag)| Some((position(known, flag, argument)?, known.takes)))
}

fn position(known: &Flags, flag: &str, argument: &str) -> Option<Value> {
    if argument == flag {
        return Some(Value::Next);
    }
    if flag.ends_with(':') {
        return argument.starts_with(flag).then_some(Value::From(flag.len()));
    }
    if flag.starts_with("--") {
        let rest = argument.strip_prefix(flag)?;
        return rest.starts_with('=').then_some(Value::From(flag.len() + 1));
    }
    let letter = flag.strip_prefix('-').filter(|letters| letters.len() == 1)?.chars().next()?;
    let cluster = argument.strip_prefix('-').filter(|cluster| !cluster.starts_with('-'))?;
    let at = cluster.find(|c| !known.bare.contains(c))?;
    if !cluster[at..].starts_with(letter) {
        return None;
    }
    let start = 1 + at + letter.len_utf8();
    match argument.len() {
        length if length == start => Some(Value::Next),
        _ if known.attached => Some(Value::From(start)),
        _ => None,
    }
}

/// Whether a value follows an argument that is its name.
pub(super) fn sets_by_name(program: &str, before: &[String]) -> bool {
    let verb = |argument: &String| matches!(argument.as_str(), "set" | "config" | "configure");
    SETTING.contains(&program) && before.iter().any(verb)
}

/// The index of an argument that is a secret by its place: the last operand of `htpasswd -b`, without a file under `-n`.
/// Source: htpasswd(1).
pub(super) fn operand(program: &str, arguments: &[String]) -> Option<usize> {
    if program != "htpasswd" {
        return None;
    }
    let (mut batch, mut print, mut operands, mut skip) = (false, false, Vec::new(), false);
    for (index, argument) in arguments.iter().enumerate().skip(1) {
        let wanted = if print { 2 } else { 3 };
        match argument.strip_prefix('-') {
            _ if std::mem::take(&mut skip) => {}
            // A password may begin with a dash.
            Some(letters) if !letters.is_empty() && operands.len() + 1 < wanted => {
                batch |= letters.contains('b');
                print |= letters.contains('n');
                skip = letters.ends_with(['C', 'r']);
            }
            _ => operands.push(index),
        }
    }
    let wanted = if print { 2 } else { 3 };
    operands.get(wanted - 1).copied().filter(|_| batch)
}
