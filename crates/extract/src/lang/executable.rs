//! Programs of Linux, Windows and macOS: how they begin, and which parts hold what linkers record.
//! Source: elf(5); Microsoft "PE Format"; Apple `mach-o/loader.h`, `mach-o/fat.h`.
use object::elf::{FileHeader32, FileHeader64};
use object::pe::{ImageDosHeader, ImageNtHeaders32, ImageNtHeaders64};
use object::read::elf::{FileHeader, ProgramHeader};
use object::read::macho::{FatArch, MachOFatFile32};
use object::read::pe::{ImageNtHeaders, optional_header_magic};
use object::{Endianness, SegmentFlags};

/// Programs in one file of several architectures; Apple's tools know fewer.
const MAX_ARCHITECTURES: usize = 16;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Elf,
    Pe,
    MachO,
    /// Mach-O files for several architectures in one.
    Fat,
}

/// By the first bytes. `b"\xca\xfe\xba\xbe"` begins fat files and Java classes; where the one counts its architectures
/// the other has its version, 45 at least.
pub(super) fn kind(head: &[u8]) -> Option<Kind> {
    match head {
        [0x7f, b'E', b'L', b'F', ..] => Some(Kind::Elf),
        [b'M', b'Z', ..] => Some(Kind::Pe),
        [0xfe, 0xed, 0xfa, 0xce | 0xcf, ..] | [0xce | 0xcf, 0xfa, 0xed, 0xfe, ..] => {
            Some(Kind::MachO)
        }
        [0xca, 0xfe, 0xba, 0xbe, 0, 0, 0, count, ..] if *count < 45 => Some(Kind::Fat),
        _ => None,
    }
}

/// The program, or each of several; `Err` where the headers are broken.
pub(super) fn open(bytes: &[u8]) -> Result<Vec<object::File<'_>>, object::Error> {
    match kind(bytes) {
        None => Ok(Vec::new()),
        Some(Kind::Fat) => {
            let fat = MachOFatFile32::parse(bytes)?;
            let parts = fat.arches().iter().take(MAX_ARCHITECTURES);
            parts.map(|part| object::File::parse(part.data(bytes)?)).collect()
        }
        Some(_) => Ok(vec![object::File::parse(bytes)?]),
    }
}

/// Whether a segment, which of a PE file is a section, holds data that the program may change.
pub(super) fn is_data(flags: SegmentFlags) -> bool {
    match flags {
        SegmentFlags::Elf { p_flags, .. } => {
            p_flags & (object::elf::PF_W | object::elf::PF_X) == object::elf::PF_W
        }
        SegmentFlags::Coff { characteristics } => {
            let both = object::pe::IMAGE_SCN_MEM_WRITE | object::pe::IMAGE_SCN_MEM_EXECUTE;
            characteristics & both == object::pe::IMAGE_SCN_MEM_WRITE
        }
        SegmentFlags::MachO { initprot, .. } => {
            let both = object::macho::VM_PROT_WRITE | object::macho::VM_PROT_EXECUTE;
            initprot & both == object::macho::VM_PROT_WRITE
        }
        _ => false,
    }
}

/// The file range that holds all data segments of an ELF or PE file, a small part of a program. `head` are the first
/// bytes; `None` if they do not say.
pub(super) fn writable(head: &[u8]) -> Option<(u64, u64)> {
    let ranges = match (kind(head)?, head.get(4)) {
        (Kind::Elf, Some(1)) => segments::<FileHeader32<Endianness>>(head, true)?,
        (Kind::Elf, _) => segments::<FileHeader64<Endianness>>(head, true)?,
        (Kind::Pe, _) => data_sections(head)?,
        (Kind::MachO | Kind::Fat, _) => return None,
    };
    ranges.into_iter().reduce(|all, own| (all.0.min(own.0), all.1.max(own.1)))
}

/// Where the part of an ELF file begins that no program needs to run: names of sections, comments, debug information.
/// Linkers put it behind all that is loaded.
pub(super) fn unloaded(head: &[u8]) -> Option<u64> {
    let ranges = match head.get(4) {
        Some(1) => segments::<FileHeader32<Endianness>>(head, false)?,
        _ => segments::<FileHeader64<Endianness>>(head, false)?,
    };
    ranges.into_iter().map(|(_, end)| end).max()
}

/// Where the table of sections of an ELF file begins.
pub(super) fn section_table(head: &[u8]) -> Option<u64> {
    fn of<E: FileHeader<Endian = Endianness>>(head: &[u8]) -> Option<u64> {
        let header = E::parse(head).ok()?;
        Some(header.e_shoff(header.endian().ok()?).into()).filter(|start| *start > 0)
    }
    match head.get(4) {
        Some(1) => of::<FileHeader32<Endianness>>(head),
        _ => of::<FileHeader64<Endianness>>(head),
    }
}

/// File ranges of the loaded segments, or of those with data alone.
fn segments<E: FileHeader<Endian = Endianness>>(
    head: &[u8],
    data_alone: bool,
) -> Option<Vec<(u64, u64)>> {
    let header = E::parse(head).ok()?;
    let endian = header.endian().ok()?;
    let segments = header.program_headers(endian, head).ok()?;
    let loaded = segments.iter().filter(|segment| {
        let flags = segment.p_flags(endian) & (object::elf::PF_W | object::elf::PF_X);
        segment.p_type(endian) == object::elf::PT_LOAD
            && (!data_alone || flags == object::elf::PF_W)
    });
    let ranges = loaded.map(|segment| segment.file_range(endian));
    Some(ranges.map(|(start, size)| (start, start.saturating_add(size))).collect())
}

fn data_sections(head: &[u8]) -> Option<Vec<(u64, u64)>> {
    let sections = sections(head)?.into_iter();
    let data = sections.filter(|section| is_data(section.flags)).map(|section| section.range);
    Some(data.collect())
}

/// A section of a PE file, as its header says.
struct Section {
    flags: SegmentFlags,
    range: (u64, u64),
}

fn sections(head: &[u8]) -> Option<Vec<Section>> {
    match optional_header_magic(head).ok()? {
        object::pe::IMAGE_NT_OPTIONAL_HDR32_MAGIC => sections_of::<ImageNtHeaders32>(head),
        _ => sections_of::<ImageNtHeaders64>(head),
    }
}

fn sections_of<P: ImageNtHeaders>(head: &[u8]) -> Option<Vec<Section>> {
    let mut offset = ImageDosHeader::parse(head).ok()?.nt_headers_offset().into();
    let (headers, _) = P::parse(head, &mut offset).ok()?;
    let table = headers.sections(head, offset).ok()?;
    let section = |section: &object::pe::ImageSectionHeader| {
        let (start, size) = section.pe_file_range();
        let (start, size) = (u64::from(start), u64::from(size));
        let characteristics = section.characteristics.get(object::LittleEndian);
        Section { flags: SegmentFlags::Coff { characteristics }, range: (start, start + size) }
    };
    Some(table.iter().map(section).collect())
}

#[cfg(test)]
#[path = "executable_tests.rs"]
pub(super) mod tests;
