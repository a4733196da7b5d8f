//! Entries of `oci` for the layer reader of `extract`.
use seawall_extract::{Head, Kind, LayerReader};
use seawall_model::Problem;
use seawall_oci::{Entry, EntryKind, Needle, Visitor, Want};

pub(crate) struct LayerVisitor {
    pub(crate) reader: LayerReader,
}

impl LayerVisitor {
    /// Of an image or a root file system.
    pub(crate) fn new() -> Self {
        Self { reader: LayerReader::new() }
    }

    /// Of a source tree.
    pub(crate) fn of_source() -> Self {
        Self { reader: LayerReader::of_source() }
    }
}

impl Visitor for LayerVisitor {
    fn want(&mut self, entry: &Entry) -> Want {
        want(self.reader.want(&head(entry)))
    }

    fn head(&mut self, _: &Entry, bytes: &[u8]) -> Want {
        want(self.reader.head(bytes))
    }

    fn whole(&mut self, entry: &Entry, bytes: &[u8]) {
        self.reader.whole(&head(entry), bytes);
    }

    fn refused(&mut self, entry: &Entry, problem: Problem) {
        self.reader.refused(&head(entry), problem);
    }
}

fn head(entry: &Entry) -> Head<'_> {
    let kind = match entry.kind {
        EntryKind::File => Kind::File,
        EntryKind::Directory => Kind::Directory,
        EntryKind::Symlink => Kind::Symlink,
        EntryKind::HardLink => Kind::HardLink,
        EntryKind::Other => Kind::Other,
    };
    Head {
        path: &entry.path,
        kind,
        mode: entry.mode,
        size: entry.size,
        link: entry.link.as_deref(),
    }
}

fn want(want: seawall_extract::Want) -> Want {
    match want {
        seawall_extract::Want::Skip => Want::Skip,
        seawall_extract::Want::Head(bytes) => Want::Head(bytes),
        seawall_extract::Want::Whole(cap) => Want::Whole(cap),
        seawall_extract::Want::Containing { cap, needles } => {
            let needle = |own: seawall_extract::Needle| Needle {
                bytes: own.bytes,
                alignment: own.alignment,
                within: own.within,
            };
            Want::Containing { cap, needles: needles.map(|own| own.map(needle)) }
        }
    }
}
