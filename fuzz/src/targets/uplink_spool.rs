//! A segment file of the spool: as given, and with the checksums of its frames made right.
use crate::Target;
use seawall_uplink::Spool;
use seawall_wire::v1;

pub(crate) const TARGET: Target = Target { name: "uplink-spool", run, seeds, rounds: 600 };

/// Bytes that a frame's checksum does not cover, and where its numbers lie.
const UNCOVERED: usize = 8;
const HEADER: usize = 24;
/// Frames read back: whether the spool walks in circles shows long before.
const MAX_FRAMES: usize = 10_000;

fn run(bytes: &[u8]) {
    open(bytes);
    open(&with_checksums(bytes));
}

fn open(bytes: &[u8]) {
    let folder = tempfile::tempdir().expect("the temporary folder takes a folder");
    let file = |name: &str, content: &[u8]| {
        std::fs::write(folder.path().join(name), content).expect("it takes a file")
    };
    file("00000000000000000001.log", bytes);
    file("dropped", &bytes[bytes.len() / 2..]);
    let mut spool = Spool::open(folder.path(), 1 << 20).expect("torn files are cut, not refused");
    let last = spool.last_sequence();
    let mut sequence = 0;
    for _ in 0..MAX_FRAMES {
        let Some((next, _)) = spool.after(sequence).expect("it was indexed on opening") else {
            break;
        };
        assert!(next > sequence, "{next} follows {sequence}");
        sequence = next;
    }
    let appended = spool.append(vec![v1::Record::default()]);
    assert!(appended.is_none_or(|appended| appended > last), "{appended:?} after {last}");
    spool.acknowledge(last);
}

fn with_checksums(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    let mut at = 0;
    while let Some(head) = bytes.get(at..at + HEADER) {
        let length = u32::from_le_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let end = at + HEADER + 8 * usize::from(head[16]) + length;
        let Some(covered) = bytes.get(at + UNCOVERED..end) else { break };
        let checksum = crc32fast::hash(covered).to_le_bytes();
        bytes[at + 4..at + UNCOVERED].copy_from_slice(&checksum);
        at = end;
    }
    bytes
}

fn seeds() -> Vec<Vec<u8>> {
    let folder = tempfile::tempdir().expect("the temporary folder takes a folder");
    let mut spool = Spool::open(folder.path(), 1 << 20).expect("the folder is new");
    spool.count("ring:data", 3);
    for _ in 0..3 {
        spool.append(vec![v1::Record::default(); 2]);
        spool.count("spool:full", 1);
    }
    let file = std::fs::read(folder.path().join("00000000000000000001.log"));
    vec![file.expect("the spool wrote its first segment"), Vec::new()]
}
