//! Limits on what an image may cost. Each stands with its unit and reason.

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
const GIB: u64 = 1024 * MIB;

/// Bytes of a manifest, index or config. Registries refuse manifests over 4 MiB.
pub const DOCUMENT: u64 = 8 * MIB;
/// Layers per image. Overlay file systems mount at most 500 lower directories.
pub const LAYERS: usize = 500;
/// Entries per image, over all layers. The largest images known hold 3 million files.
pub const ENTRIES: u64 = 10_000_000;
/// Inflated bytes per image: an order above the largest machine-learning images.
pub const INFLATED: u64 = 256 * GIB;
/// Inflated to compressed bytes, judged only after [`RATIO_AFTER`]. Text compresses at 20, zeros at 1,000.
pub const RATIO: u64 = 500;
/// Inflated bytes before the ratio is judged: small layers of padding are harmless.
pub const RATIO_AFTER: u64 = GIB;
/// Bytes of a path, as PATH_MAX of Linux.
pub const PATH: usize = 4096;
/// Bytes of one tar extension header. Real ones hold paths and a few attributes.
pub const EXTENSION_HEADER: u64 = MIB;
/// Bytes of an entry kept in memory; a longer one is spilled.
pub const BUFFERED: u64 = 16 * MIB;
/// Bytes of all buffers in the process, so that memory does not grow with threads.
pub const ALL_BUFFERS: u64 = 96 * MIB;
/// Bytes of one analysed entry. The largest linked programs take 2 GiB.
pub const ANALYSED: u64 = 4 * GIB;
/// Bytes of all spill in the process: what a small temporary file system bears.
pub const ALL_SPILL: u64 = 8 * GIB;
/// Members of an outer archive: a manifest and a few files for each layer.
pub const MEMBERS: usize = 100_000;
/// Nested indexes on the way to a manifest; real ones have one or two.
pub const INDEX_DEPTH: usize = 8;
/// Directories on the way down in a tree on disk: each takes a file handle while it is read.
pub const DEPTH: usize = 512;
/// Problems kept by name per layer and class; the rest is a count.
pub const NAMED_PROBLEMS: u64 = 3;
