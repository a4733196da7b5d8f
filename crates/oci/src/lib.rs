//! Images from archives, layouts, containerd and registries → verified layers → a bounded stream of files.
//!
//! ```text
//! Reference ─open─► Image {manifest, config, layers} ─read_layer─► blob ► sha256 ► inflate ► sha256 ► tar walk ─► Visitor
//!                                                    walk_tree ──► directory of an unpacked root ──────────────► Visitor
//! ```
//!
//! Everything blocks: call it from a blocking thread, never from a task of an async runtime. Nothing of an image
//! touches the disk but spill: a compressed archive, and wanted files over the buffer size, as unlinked files.
//!
//! Deliberately absent: what a file means. A [`Visitor`] says which entries it wants and gets bytes.

mod archive;
mod blobs;
pub mod bounds;
mod buffer;
pub mod containerd;
mod digest;
mod docker_archive;
mod error;
mod image;
mod layer;
mod layout;
mod manifest;
mod platform;
mod reference;
pub mod registry;
mod stream;
mod tar;
mod tree;
mod visit;

pub use error::OpenError;
pub use image::{Image, ImageLayer, Options, open};
pub use layer::{LayerEnd, read_layer};
pub use manifest::{Descriptor, DescriptorPlatform};
pub use platform::Platform;
pub use reference::{Containerd, Reference};
pub use tar::parse_for_fuzzing;
pub use tree::{EnterDirectory, TreeOptions, TreeWalk, walk_tree};
pub use visit::{Entry, EntryKind, MAX_NEEDLES, Meters, Needle, Visitor, Want};
