//! Mutations without a clock and without randomness: the same number gives the same bytes on every machine.

/// Bytes an input may grow to: readers show their defects on small inputs, and large ones cost time.
const MAX_INPUT: usize = 64 * 1024;

/// What the formats under test are made of; a random byte seldom is.
const PIECES: &[&str] = &[
    "\0",
    "\n",
    "\r\n",
    "\n\n",
    "\t",
    " ",
    "- ",
    ": ",
    ":",
    ",",
    ".",
    "/",
    "..",
    "~",
    "+",
    "-",
    "_",
    "=",
    "!",
    "*",
    "&a ",
    "*a",
    "<<: *a",
    "#",
    "%",
    "|\n",
    "\"",
    "'",
    "\\",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "{}",
    "[]",
    "[0]",
    "---\n",
    "null",
    "true",
    "-1",
    "0",
    "00",
    "99999999999999999999",
    "1e400",
    "é",
    "\u{1f}",
    "\u{feff}",
    "\u{10ffff}",
    "and ",
    "or ",
    "not ",
    " in ",
    ".wh.",
    "sha256:",
    "\u{7f}ELF",
    "\u{ff}\u{ff}",
];

/// Numbers at which lengths and counts go wrong, little-endian.
const NUMBERS: &[u64] =
    &[0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff, u64::MAX >> 1, u64::MAX];

/// A xorshift stream of mutations.
pub struct Mutator {
    state: u64,
}

impl Mutator {
    /// Streams of different numbers differ.
    pub fn new(number: u64) -> Self {
        Self { state: number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1 }
    }

    fn next(&mut self) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state
    }

    /// A number under `bound`, which is not zero.
    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % bound as u64).expect("it is under a usize")
    }

    /// One of `seeds`, changed in one to eight places.
    pub fn mutate(&mut self, seeds: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = seeds[self.below(seeds.len())].clone();
        for _ in 0..=self.below(8) {
            self.change(&mut bytes, seeds);
        }
        bytes.truncate(MAX_INPUT);
        bytes
    }

    fn change(&mut self, bytes: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        if bytes.is_empty() {
            bytes.extend(PIECES[self.below(PIECES.len())].bytes());
            return;
        }
        let at = self.below(bytes.len());
        let end = at + self.below((bytes.len() - at).min(64) + 1);
        match self.below(9) {
            0 => bytes[at] ^= 1 << self.below(8),
            1 => bytes[at] = self.next() as u8,
            2 => {
                bytes.drain(at..end);
            }
            3 => {
                let copy = bytes[at..end].to_vec();
                let to = self.below(bytes.len());
                bytes.splice(to..to, copy);
            }
            4 => bytes.truncate(at),
            5 => {
                let number = NUMBERS[self.below(NUMBERS.len())].to_le_bytes();
                let width = (1 << self.below(4)).min(bytes.len() - at);
                bytes[at..at + width].copy_from_slice(&number[..width]);
            }
            6 => {
                let other = &seeds[self.below(seeds.len())];
                let from = self.below(other.len() + 1);
                let part = &other[from..from + self.below((other.len() - from).min(256) + 1)];
                bytes.splice(at..end, part.iter().copied());
            }
            _ => {
                let piece = PIECES[self.below(PIECES.len())].as_bytes();
                let end = if self.below(2) == 0 { at } else { end };
                bytes.splice(at..end, piece.iter().copied());
            }
        }
    }
}

#[test]
fn the_same_number_gives_the_same_bytes() {
    let seeds = [b"name: value\n".to_vec(), Vec::new()];
    let stream = |number| {
        let mut mutator = Mutator::new(number);
        (0..200).map(|_| mutator.mutate(&seeds)).collect::<Vec<_>>()
    };
    assert_eq!(stream(1), stream(1));
    assert_ne!(stream(1), stream(2));
    let distinct: std::collections::BTreeSet<_> = stream(1).into_iter().collect();
    assert!(distinct.len() > 150, "{}", distinct.len());
}
