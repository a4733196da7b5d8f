//! Words too random to be anything but a secret.

/// Shorter random-looking words are too often names.
const MIN_RANDOM_CHARS: usize = 24;
/// Longer ones are encoded programs or data, which are evidence.
const MAX_RANDOM_CHARS: usize = 512;
/// Bits per character; 24 random characters of base64 have 4.3 on average, words of a language below 3.9.
const MIN_RANDOM_BITS: f64 = 3.9;
/// With slashes a word may be a path; the secrets of AWS have 40 characters.
const MIN_SLASHED_CHARS: usize = 32;
/// Parts of a slashed word shorter than this decide nothing.
const MIN_PART_CHARS: usize = 4;

/// Whether a word looks drawn at random: all of upper case, lower case and digits, mixed finely, with high entropy.
pub(super) fn is_random(word: &str) -> bool {
    let length = word.chars().count();
    if !(MIN_RANDOM_CHARS..=MAX_RANDOM_CHARS).contains(&length) {
        return false;
    }
    let has = |class: fn(&char) -> bool| word.chars().any(|c| class(&c));
    if !has(char::is_ascii_uppercase)
        || !has(char::is_ascii_lowercase)
        || !has(char::is_ascii_digit)
    {
        return false;
    }
    // Subresource integrity (`sha512-…`) is a digest; many short words are a name.
    if word.starts_with("sha") && word.as_bytes().get(6) == Some(&b'-') {
        return false;
    }
    let parts: Vec<&str> = word.split(['-', '_']).collect();
    if parts.len() >= 3 && parts.iter().all(|part| part.len() < 16) {
        return false;
    }
    let bytes = word.as_bytes();
    let borders = bytes
        .windows(2)
        .filter(|pair| {
            pair.iter().all(u8::is_ascii_alphanumeric)
                && pair[0].is_ascii_digit() != pair[1].is_ascii_digit()
        })
        .count();
    borders >= 3 && bits_per_char(bytes) >= MIN_RANDOM_BITS
}

/// Whether a word with slashes is base64 rather than a path: as random as without them, and none of its parts a word.
pub(super) fn is_random_slashed(word: &str) -> bool {
    let joined = word.replace('/', "");
    let mixed = |part: &str| {
        let class = |byte: u8| match byte {
            b'A'..=b'Z' => 0,
            b'a'..=b'z' => 1,
            b'0'..=b'9' => 2,
            _ => 3,
        };
        part.as_bytes().windows(2).filter(|pair| class(pair[0]) != class(pair[1])).count() >= 2
    };
    word.len() >= MIN_SLASHED_CHARS
        && !word.starts_with('/')
        && is_random(&joined)
        && word.split('/').filter(|part| part.len() >= MIN_PART_CHARS).all(mixed)
}

/// Shannon entropy of the bytes.
fn bits_per_char(bytes: &[u8]) -> f64 {
    let mut counts = [0_u32; 256];
    bytes.iter().for_each(|byte| counts[usize::from(*byte)] += 1);
    let total = bytes.len() as f64;
    counts
        .iter()
        .filter(|count| **count > 0)
        .map(|count| {
            let share = f64::from(*count) / total;
            -share * share.log2()
        })
        .sum()
}
