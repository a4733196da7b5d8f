//! Conditions against events: Falco's documented meaning, and the design's where Falco leaves it open.
//! Sources: falco.org "Condition Syntax", "Rule Exceptions", release notes of 0.44; libsinsp's filter tests.
use super::holds;

const EXEC: &str = r#"{
    "evt.type": "execve", "evt.rawres": 0, "evt.res": "SUCCESS",
    "proc.name": "bash", "proc.exepath": "/usr/bin/bash", "proc.exe": "-bash", "proc.args": "-c id", "proc.cmdline": "bash -c id",
    "proc.pid": 42, "proc.tty": 0, "proc.aname": ["sh", "containerd-shim", "systemd"], "proc.apid": [7, 6, 1],
    "proc.stdio.peers": ["nc", "cat"], "proc.is_exe_upper_layer": false, "proc.cwd": "/Tmp",
    "user.name": "root", "user.uid": 0, "user.loginuid": -1, "container.id": "0123456789ab",
    "evt.arg.flags": "EXE_WRITABLE|EXE_UPPER_LAYER", "evt.arg.uid": "1000", "k8s.pod.label[app]": "web",
    "k8s.pod.label.app.kubernetes.io/name": "web", "proc.env[B]": "aGVsbG8="
}"#;

const CONNECT: &str = r#"{
    "evt.type": "connect", "evt.rawres": -115, "proc.name": "curl", "fd.lip": "10.0.0.5", "fd.rip": "93.184.216.34",
    "fd.ip": ["10.0.0.5", "93.184.216.34"], "fd.net": ["10.0.0.5", "93.184.216.34"], "fd.rport": 443, "fd.sport": 443,
    "fd.port": [50000, 443], "fd.l4proto": "tcp", "container.id": "host"
}"#;

const OPEN: &str = r#"{
    "evt": {"type": "openat", "is_open_read": true, "is_open_write": false},
    "fd": {"name": "/var/spool/maillog", "num": 3, "typechar": "f"}, "proc": {"name": "cat", "pname": "bash"}
}"#;

#[track_caller]
fn check(event: &str, rows: &[(&str, bool)]) {
    for (condition, expected) in rows {
        assert_eq!(holds(condition, event), *expected, "{condition}");
    }
}

#[test]
fn logic_and_precedence() {
    check(
        EXEC,
        &[
            ("proc.name = bash", true),
            ("proc.name=bash", true),
            ("proc.name==bash", true),
            ("proc.name = bash and user.name = root", true),
            ("proc.name = zsh or user.name = root", true),
            ("proc.name = bash or proc.name = x and user.name = nobody", true),
            ("(proc.name = bash or proc.name = x) and user.name = nobody", false),
            ("not proc.name = zsh", true),
            ("not not proc.name = bash", true),
            ("not(proc.name = bash)", false),
            ("not proc.name = bash and proc.name = zsh", false),
            ("not (proc.name = bash and user.name = nobody)", true),
            ("proc.name = bash and(user.name = root)", true),
            ("proc.name = zsh or(user.name = root)", true),
            ("((((proc.name = bash))))", true),
            ("proc.name = bash\n  and\tuser.name = root", true),
            ("spawned", true),
            ("not spawned", false),
            ("spawned and (proc.name in (shells))", true),
            ("evt.dir = < and evt.dir=<", true),
            ("evt.dir = >", false),
            // Words that begin like keywords are macros or values.
            ("proc.name = android or proc.name = bash", true),
        ],
    );
}

#[test]
fn absent_fields_make_every_comparison_false() {
    check(
        EXEC,
        &[
            ("fd.name = x", false),
            ("fd.name != x", false),
            ("not fd.name = x", true),
            ("not (fd.name = x)", true),
            ("fd.name exists", false),
            ("proc.name exists", true),
            ("fd.rport > 1", false),
            ("not fd.rport > 1", true),
            ("fd.name in (x)", false),
            ("fd.name contains \"\"", false),
            ("proc.name = val(fd.name)", false),
            ("proc.name != val(fd.name)", false),
            ("proc.is_drifted = true", false),
            ("proc.is_drifted != true", false),
            ("proc.is_exe_upper_layer = false", true),
            ("proc.is_exe_upper_layer != true", true),
            ("proc.aname[9] = x", false),
            ("k8s.ns.name != \"<NA>\"", false),
            ("proc.name != \"<NA>\"", true),
            ("concat(proc.name, fd.name) exists", false),
        ],
    );
}

#[test]
fn text_operators() {
    check(
        EXEC,
        &[
            ("proc.name != zsh", true),
            ("proc.cmdline contains \"-c\"", true),
            ("proc.cmdline contains -c", true),
            ("proc.cmdline contains Bash", false),
            ("proc.cmdline icontains BASH", true),
            ("proc.cmdline startswith bash", true),
            ("proc.cmdline startswith 'bash -'", true),
            ("proc.cmdline endswith id", true),
            ("proc.cmdline endswith bash", false),
            ("proc.exepath glob /usr/*/bash", true),
            ("proc.exepath glob /usr/*", true),
            ("proc.exepath glob /USR/*", false),
            ("proc.exepath iglob /USR/*", true),
            ("proc.exepath glob /usr/bin/[a-c]ash", true),
            ("proc.exepath regex '/usr/[a-z]+/bash'", true),
            ("proc.exepath regex 'bin'", false),
            ("proc.exepath regex '.*bin.*'", true),
            ("proc.cmdline regex 'bash -[c] (id|ls)'", true),
            ("proc.cmdline regex \"bash[[:space:]]-c id\"", true),
            ("proc.name bcontains 6173", true),
            ("proc.name bstartswith 6261", true),
            ("proc.name bstartswith 6173", false),
            ("proc.name in (bash, sh)", true),
            ("proc.name in (zsh)", false),
            ("proc.name in ()", false),
            ("proc.name in (shells)", true),
            ("proc.name in shells", true),
            ("proc.name in (\"shells\")", false),
            ("proc.name in (zsh, shells)", true),
            ("proc.name intersects (shells)", true),
            ("proc.exepath pmatch (/usr/bin, /opt)", true),
            ("proc.exepath pmatch (/usr/bi)", false),
            ("proc.exepath pmatch (/usr/*)", true),
        ],
    );
}

#[test]
fn quoted_values() {
    let odd = r#"{"evt.type": "execve", "proc.name": "(odd)", "proc.cmdline": "a \"b\" 'c'\tand or", "proc.exepath": "/a b/c"}"#;
    check(
        odd,
        &[
            ("proc.name = \"(odd)\"", true),
            ("proc.name in (shells)", true),
            ("proc.cmdline contains 'and or'", true),
            ("proc.cmdline contains \"\\\"b\\\"\"", true),
            ("proc.cmdline contains '\\'c\\''", true),
            ("proc.cmdline contains \"\\t\"", true),
            ("proc.cmdline contains \"\\x27c\"", true),
            ("proc.exepath = \"/a b/c\"", true),
        ],
    );
}

#[test]
fn numbers_and_booleans() {
    check(
        EXEC,
        &[
            ("proc.pid = 42", true),
            ("proc.pid=42", true),
            ("proc.pid != 42", false),
            ("proc.pid > 41", true),
            ("proc.pid>=42", true),
            ("proc.pid < 42", false),
            ("proc.pid <= 42", true),
            ("proc.pid = 0x2A", true),
            ("proc.pid in (1, 42)", true),
            ("user.loginuid = -1", true),
            ("user.loginuid < 0", true),
            ("evt.rawres >= 0", true),
            ("user.uid = 0", true),
            ("proc.is_exe_upper_layer=false", true),
            ("evt.is_open_write = true", false),
            ("proc.duration <= 5000000000", false),
            ("evt.rawarg.uid >= 1000", true),
            ("evt.arg.uid = 1000", true),
            ("evt.arg.flags contains EXE_WRITABLE", true),
            ("evt.arg[flags] contains EXE_FROM_MEMFD", false),
        ],
    );
}

#[test]
fn addresses_and_networks() {
    check(
        CONNECT,
        &[
            ("fd.rip = 93.184.216.34", true),
            ("fd.rip = \"93.184.216.34\"", true),
            ("fd.rip != 93.184.216.34", false),
            ("fd.sip = 93.184.216.34", true),
            ("fd.snet = 93.184.0.0/16", true),
            ("fd.rnet in (10.0.0.0/8, 93.0.0.0/8)", true),
            ("fd.snet in (10.0.0.0/8)", false),
            // Either end; but `!=` is true only where neither is.
            ("fd.ip = 10.0.0.5", true),
            ("fd.ip != 10.0.0.5", false),
            ("fd.ip != 0.0.0.0", true),
            ("fd.net != 127.0.0.0/8", true),
            ("fd.net = 10.0.0.0/8", true),
            ("fd.port = 443", true),
            ("fd.port != 443", false),
            ("fd.port in (443, 8443)", true),
            ("fd.typechar = 4 or fd.typechar = 6", true),
            ("fd.l4proto = tcp", true),
            ("evt.rawres >= 0 or evt.res = EINPROGRESS", false),
            ("container.id = host", true),
            ("container.id != host", false),
        ],
    );
}

#[test]
fn ancestors_lists_and_arguments() {
    check(
        EXEC,
        &[
            ("proc.aname = systemd", true),
            ("proc.aname[2] = containerd-shim", true),
            ("proc.aname[2] = systemd", false),
            ("proc.aname[0] = bash", true),
            ("proc.pname = sh", true),
            ("proc.aname in (systemd, init)", true),
            ("proc.aname startswith containerd", true),
            ("proc.apid = 1", true),
            ("proc.apid[1] = 7", true),
            ("proc.ppid = 7", true),
            // A list: `in` needs all, `intersects` any.
            ("proc.stdio.peers in (nc, cat, sh)", true),
            ("proc.stdio.peers in (nc)", false),
            ("proc.stdio.peers intersects (nc)", true),
            ("proc.stdio.peers intersects (ssh)", false),
            ("proc.stdio.peers exists", true),
            ("len(proc.stdio.peers) = 2", true),
            ("join(proc.stdio.peers, \"-\") = nc-cat", true),
            ("k8s.pod.label.app = web", true),
            ("k8s.pod.label[app] = web", true),
            ("k8s.pod.label[app.kubernetes.io/name] = web", true),
            ("k8s.pod.label[other] exists", false),
        ],
    );
}

#[test]
fn modifiers() {
    check(
        EXEC,
        &[
            ("proc.name = anyof (bash, sh)", true),
            ("proc.name != allof (zsh, ksh)", true),
            ("proc.name != anyof (bash, sh)", true),
            ("proc.name != allof (bash, sh)", false),
            ("proc.name startswith oneof (ba, zs)", true),
            ("proc.name startswith oneof (ba, bas)", false),
            ("proc.name startswith anyof (ba, bas)", true),
            ("proc.name startswith allof (ba, bas)", true),
            ("proc.name startswith allof (ba, zs)", false),
            ("proc.cmdline contains allof (bash, id)", true),
            ("proc.exepath endswith anyof (/bash, /sh)", true),
            ("proc.name regex anyof ('z.*', 'b.*')", true),
            ("proc.name glob anyof (b*, z*)", true),
            ("proc.name = anyof (shells)", true),
            ("proc.name = anyof ()", false),
            ("proc.name != allof ()", false),
            ("proc.name = anyof", false),
        ],
    );
}

#[test]
fn transformers() {
    check(
        EXEC,
        &[
            ("toupper(proc.name) = BASH", true),
            ("tolower(proc.cwd) = /tmp", true),
            ("basename(proc.exepath) = bash", true),
            ("basename(proc.exepath) = val(proc.name)", true),
            ("proc.name = basename(proc.exepath)", true),
            ("proc.name = val(proc.pname)", false),
            ("proc.pname != val(proc.name)", true),
            ("tolower(toupper(proc.name)) = bash", true),
            ("len(proc.name) = 4", true),
            ("len(proc.name) > 3 and len(proc.name) <= 4", true),
            ("concat(proc.name, \":\", user.name) = bash:root", true),
            ("concat(proc.name, \":\", user.name) in (\"bash:root\", \"sh:root\")", true),
            ("tolower( proc.name ) in (shells)", true),
            ("getopt(proc.args, \"c:\") intersects (c)", true),
            ("getopt(proc.args, \"c:\")[c] = id", true),
            ("getopt(proc.args, \"x\") exists", false),
            ("b64(proc.env[B]) = hello", true),
            ("b64(proc.name) = x", false),
            ("proc.name in val(proc.aname)", false),
            ("proc.pid = val(proc.apid)", false),
            ("toupper(proc.aname) = SYSTEMD", true),
        ],
    );
}

#[test]
fn paths_and_what_follows_from_them() {
    check(
        OPEN,
        &[
            ("fd.directory = /var/spool", true),
            ("fd.filename = maillog", true),
            ("fs.path.name = /var/spool/maillog", true),
            ("fd.name pmatch (/var/run, /var/spool, /etc, /boot)", true),
            ("fd.name pmatch (/var/*)", true),
            ("fd.name pmatch (/etc)", false),
            ("fd.name startswith /var and fd.num >= 0", true),
            (
                "evt.type in (open,openat,openat2) and evt.is_open_read=true and fd.typechar='f' and fd.num>=0",
                true,
            ),
            ("evt.is_open_write=true", false),
            ("proc.aname[1] = bash", false),
            ("syscall.type = openat", true),
        ],
    );
}

/// Each level names the one below twice: unfolded, the condition has a million million parts.
#[test]
fn a_match_of_shared_parts_is_explained_in_time() {
    let mut text = "- macro: m0\n  condition: proc.pid = 42\n".to_owned();
    for level in 1..=40 {
        let below = level - 1;
        text += &format!(
            "- macro: m{level}\n  condition: (m{below} or evt.num = {level}) and (m{below} or evt.cpu = {level})\n"
        );
    }
    text += "- rule: r\n  desc: d\n  condition: m40\n  output: o\n  priority: INFO\n";
    let (set, problems) = seawall_rules::RuleSet::load(&[("t.yaml", &text)]);
    assert_eq!(problems, []);
    let fired = set.evaluate(&super::event(EXEC), &mut set.state()).remove(0).why.clone();
    assert_eq!(fired.len(), 1);
    assert_eq!(
        (fired[0].expression.as_str(), fired[0].value.as_deref()),
        ("proc.pid = 42", Some("42"))
    );
}
