//! Loads and attaches the programs one by one: what one kernel refuses leaves the others running.
use super::drops::KernelCounters;
use crate::config::Watch;
use aya::maps::lpm_trie::{Key, LpmTrie};
use aya::maps::{HashMap, Map, MapData, MapError, PerCpuArray, RingBuf};
use aya::programs::{BtfTracePoint, Iter, ProgramError};
use aya::{Btf, BtfError, Ebpf, EbpfError, EbpfLoader};
use std::collections::BTreeMap;
use std::io::Read;

/// The compiled `bpf/seawall.bpf.c`.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/seawall.bpf.o"));

/// Program names and the raw tracepoints they attach to.
const TRACEPOINTS: [(&str, &str); 7] = [
    // Directions first: a connection made between two attachments would be unknown for ever.
    ("on_tcp_state", "inet_sock_set_state"),
    ("on_cgroup_made", "cgroup_mkdir"),
    ("on_cgroup_gone", "cgroup_rmdir"),
    ("on_exit", "sched_process_exit"),
    ("on_fork", "sched_process_fork"),
    ("on_exec", "sched_process_exec"),
    ("on_syscall", "sys_exit"),
];
/// The iterator over processes that already run.
pub(crate) const LISTING: &str = "list_processes";

#[derive(Debug, thiserror::Error)]
pub(crate) enum LoadError {
    #[error("kernel type information (BTF) cannot be read")]
    Btf(#[from] BtfError),
    #[error("kernel refused the sensor's maps")]
    Load(#[from] EbpfError),
    #[error("kernel programs have no map `{0}`")]
    NoMap(&'static str),
    #[error("map `{name}` cannot be used")]
    Map { name: &'static str, source: MapError },
}

/// Settings the programs read; constant once loaded.
pub(crate) struct Settings<'a> {
    /// Opens by this thread group are not reported; 0 reports all.
    pub(crate) own_tgid: u32,
    /// Bit per record type.
    pub(crate) wanted: u32,
    /// Data records per container and second.
    pub(crate) budget: u32,
    pub(crate) watch: &'a Watch,
}

/// The attached programs; they detach when this is dropped.
pub(crate) struct Programs {
    ebpf: Ebpf,
    pub(crate) priority: RingBuf<MapData>,
    pub(crate) data: RingBuf<MapData>,
    pub(crate) counters: KernelCounters,
    /// Programs that are not running, with the reason.
    pub(crate) refused: BTreeMap<&'static str, String>,
}

impl Programs {
    pub(crate) fn load(settings: &Settings<'_>) -> Result<Self, LoadError> {
        let btf = Btf::from_sys_fs()?;
        let layout = overlay_layout(&kernel_release());
        let mut ebpf = EbpfLoader::new()
            .btf(Some(&btf))
            .override_global("own_tgid", &settings.own_tgid, true)
            .override_global("wanted", &settings.wanted, true)
            .override_global("data_budget", &settings.budget, true)
            .override_global("overlay_layout", &layout, true)
            .load(OBJECT)?;
        watch(&mut ebpf, settings.watch)?;
        let priority = take(&mut ebpf, "priority_ring", RingBuf::try_from)?;
        let data = take(&mut ebpf, "data_ring", RingBuf::try_from)?;
        let counters = KernelCounters::new(take(&mut ebpf, "drops", PerCpuArray::try_from)?);
        let mut refused = BTreeMap::new();
        for (name, tracepoint) in TRACEPOINTS {
            if let Err(error) = attach(&mut ebpf, name, tracepoint, &btf) {
                refused.insert(name, chain(&error));
            }
        }
        if let Err(error) = load_listing(&mut ebpf, &btf) {
            refused.insert(LISTING, chain(&error));
        }
        Ok(Self { ebpf, priority, data, counters, refused })
    }

    /// Makes the kernel report every process that runs now, through the priority ring.
    pub(crate) fn list_processes(&mut self) -> Result<(), String> {
        let mut run = || -> Result<(), Box<dyn std::error::Error>> {
            let program: &mut Iter = program(&mut self.ebpf, LISTING)?;
            let link = program.attach()?;
            let mut file = program.take_link(link)?.into_file()?;
            file.read_to_end(&mut Vec::new())?;
            Ok(())
        };
        run().map_err(|error| chain(error.as_ref()))
    }
}

fn program<'a, T>(ebpf: &'a mut Ebpf, name: &str) -> Result<&'a mut T, ProgramError>
where
    &'a mut T: TryFrom<&'a mut aya::programs::Program, Error = ProgramError>,
{
    ebpf.program_mut(name).ok_or(ProgramError::NotLoaded)?.try_into()
}

fn attach(ebpf: &mut Ebpf, name: &str, tracepoint: &str, btf: &Btf) -> Result<(), ProgramError> {
    let program: &mut BtfTracePoint = program(ebpf, name)?;
    program.load(tracepoint, btf)?;
    program.attach()?;
    Ok(())
}

fn load_listing(ebpf: &mut Ebpf, btf: &Btf) -> Result<(), ProgramError> {
    program::<Iter>(ebpf, LISTING)?.load("task", btf)
}

fn take<T>(
    ebpf: &mut Ebpf,
    name: &'static str,
    open: impl FnOnce(Map) -> Result<T, MapError>,
) -> Result<T, LoadError> {
    let map = ebpf.take_map(name).ok_or(LoadError::NoMap(name))?;
    open(map).map_err(|source| LoadError::Map { name, source })
}

/// Bytes of a path prefix (`WATCH_BYTES`) and of a name (`WATCH_NAME_BYTES`) in `bpf/open.bpf.c`.
const PREFIX_BYTES: usize = 248;
const NAME_BYTES: usize = 32;

/// Fills the maps that decide which reads are reported. Over-long entries are cut: they then match more, never less.
fn watch(ebpf: &mut Ebpf, watch: &Watch) -> Result<(), LoadError> {
    let map = ebpf.map_mut("watched_prefixes").ok_or(LoadError::NoMap("watched_prefixes"))?;
    let at = |source| LoadError::Map { name: "watched_prefixes", source };
    let mut prefixes: LpmTrie<_, [u8; PREFIX_BYTES], u8> = LpmTrie::try_from(map).map_err(at)?;
    for prefix in &watch.prefixes {
        let mut bytes = [0; PREFIX_BYTES];
        let length = prefix.len().min(PREFIX_BYTES);
        bytes[..length].copy_from_slice(&prefix.as_bytes()[..length]);
        let bits = u32::try_from(length * 8).expect("248 bytes are 1,984 bits");
        prefixes.insert(&Key::new(bits, bytes), 1, 0).map_err(at)?;
    }
    let map = ebpf.map_mut("watched_names").ok_or(LoadError::NoMap("watched_names"))?;
    let at = |source| LoadError::Map { name: "watched_names", source };
    let mut names: HashMap<_, [u8; NAME_BYTES], u8> = HashMap::try_from(map).map_err(at)?;
    for name in &watch.names {
        let mut bytes = [0; NAME_BYTES];
        let length = name.len().min(NAME_BYTES - 1); // The kernel's copy ends with a NUL.
        bytes[..length].copy_from_slice(&name.as_bytes()[..length]);
        names.insert(bytes, 1, 0).map_err(at)?;
    }
    Ok(())
}

fn kernel_release() -> String {
    rustix::system::uname().release().to_string_lossy().into_owned()
}

/// How overlayfs keeps the lower file: its private layout changed with Linux 6.5 (commit 5522c9c7cbd2, `struct
/// ovl_entry` with `__numlower`). 0 is unknown, and the layers on disk decide alone.
fn overlay_layout(release: &str) -> u32 {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse::<u32>);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (6, 5) => 2,
        (Some(Ok(major)), Some(Ok(minor))) if (major, minor) >= (5, 8) => 1,
        _ => 0,
    }
}

/// The error and its causes in one line; a verifier's log is cut to its verdict.
fn chain(error: &dyn std::error::Error) -> String {
    const MAX_REASON: usize = 400; // Characters; the report is a table.
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().rev().nth(MAX_REASON) {
        Some((cut, _)) => format!("…{}", &line[cut..]),
        None => line,
    }
}

#[test]
fn overlay_layout_follows_the_release() {
    for (release, layout) in [
        ("6.18.44-fc", 2),
        ("6.5.0", 2),
        ("6.1.0-28-amd64", 1),
        ("5.8.0", 1),
        ("4.19.0", 0),
        ("x", 0),
    ] {
        assert_eq!(overlay_layout(release), layout, "{release}");
    }
}
