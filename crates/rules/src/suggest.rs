//! "Did you mean": the candidate nearest to a misspelt word.

/// Words longer than this are not compared; no name of ours comes near.
const MAX_WORD_BYTES: usize = 64;

/// The nearest candidate within a third of the word's length, the first of equals. Distance: Damerau–Levenshtein,
/// optimal string alignment, on bytes.
pub(crate) fn nearest<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<&'c str> {
    if word.len() > MAX_WORD_BYTES {
        return None;
    }
    let most = (word.len() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .filter(|candidate| candidate.len().abs_diff(word.len()) <= most && *candidate != word)
        .map(|candidate| (distance(word.as_bytes(), candidate.as_bytes()), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// The sentence for a problem's help.
pub(crate) fn did_you_mean<'c>(
    word: &str,
    candidates: impl IntoIterator<Item = &'c str>,
) -> Option<String> {
    nearest(word, candidates).map(|candidate| format!("did you mean `{candidate}`?"))
}

fn distance(left: &[u8], right: &[u8]) -> usize {
    let mut before = vec![0; right.len() + 1];
    let mut previous: Vec<usize> = (0..=right.len()).collect();
    for (i, a) in left.iter().enumerate() {
        let mut current = vec![i + 1; right.len() + 1];
        for (j, b) in right.iter().enumerate() {
            let change = previous[j] + usize::from(a != b);
            current[j + 1] = change.min(previous[j + 1] + 1).min(current[j] + 1);
            if i > 0 && j > 0 && *a == right[j - 1] && left[i - 1] == *b {
                current[j + 1] = current[j + 1].min(before[j - 1] + 1);
            }
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous[right.len()]
}

#[test]
fn the_nearest_name_is_offered() {
    let names = ["proc.name", "proc.pname", "proc.cmdline", "fd.name"];
    for (word, expected) in [
        ("proc.nmae", Some("proc.name")),
        ("proc.cmdlin", Some("proc.cmdline")),
        ("user.shell", None),
    ] {
        assert_eq!(nearest(word, names), expected, "{word}");
    }
}
