//! Refuses expressions that would overflow an interpreter's stack, before any of them recurses.

/// Bytes; Kubernetes' own limit on a policy expression is far below, objects in etcd are 1.5 MiB.
const MAX_BYTES: usize = 32 << 10;
/// Open brackets: each costs a recursive parser a dozen frames.
const MAX_BRACKETS: usize = 100;
/// Levels of the parsed tree, estimated from above: chains of operators nest one level each.
const MAX_LEVELS: usize = 512;

#[derive(Default, Clone, Copy)]
struct Group {
    /// `&&` and `||` so far; the parser balances them, still each is counted.
    logical: usize,
    /// Operators since the last one of those.
    chain: usize,
    deepest_chain: usize,
}

impl Group {
    fn levels(self) -> usize {
        self.logical + self.deepest_chain.max(self.chain) + 1
    }
}

/// `Err` says which limit `text` breaks. Works on text that does not parse.
pub(crate) fn check(text: &str) -> Result<(), String> {
    if text.len() > MAX_BYTES {
        return Err(format!("expression is over {} KiB", MAX_BYTES >> 10));
    }
    let mut open = vec![Group::default()];
    let mut levels = 0; // Of all groups but the innermost.
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let innermost = open.len() - 1;
        match byte {
            b'"' | b'\'' => {
                at = string_end(bytes, at);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                while bytes.get(at).is_some_and(|byte| *byte != b'\n') {
                    at += 1;
                }
                continue;
            }
            b'(' | b'[' | b'{' => {
                open[innermost].chain += 1;
                levels += open[innermost].levels();
                open.push(Group::default());
            }
            b')' | b']' | b'}' if open.len() > 1 => {
                open.pop();
                levels -= open[open.len() - 1].levels();
            }
            b',' => open[innermost] = Group::default(),
            b'&' | b'|' if bytes.get(at + 1) == Some(&byte) => {
                let group = &mut open[innermost];
                group.logical += 1;
                group.deepest_chain = group.deepest_chain.max(group.chain);
                group.chain = 0;
                at += 1;
            }
            b'.' | b'+' | b'-' | b'*' | b'/' | b'%' | b'!' | b'?' | b'<' | b'>' | b'=' => {
                open[innermost].chain += 1;
            }
            b'i' if word_in(bytes, at) => open[innermost].chain += 1,
            _ => {}
        }
        if open.len() - 1 > MAX_BRACKETS {
            return Err(format!("expression nests over {MAX_BRACKETS} brackets"));
        }
        if levels + open[open.len() - 1].levels() > MAX_LEVELS {
            return Err(format!("expression is over {MAX_LEVELS} levels deep"));
        }
        at += 1;
    }
    Ok(())
}

/// Whether the operator `in` stands at `at`.
fn word_in(bytes: &[u8], at: usize) -> bool {
    let word =
        |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    bytes[at..].starts_with(b"in")
        && !word(bytes.get(at + 2))
        && !(at > 0 && word(bytes.get(at - 1)))
}

/// The byte after a string literal that begins at `start`: single or triple quotes, raw (`r"…"`) or not.
/// Source: CEL language definition, "Syntax", STRING_LIT.
fn string_end(bytes: &[u8], start: usize) -> usize {
    let quote = bytes[start];
    let raw = start > 0 && matches!(bytes[start - 1], b'r' | b'R');
    let triple = bytes[start..].starts_with(&[quote; 3]);
    let width = if triple { 3 } else { 1 };
    let mut at = start + width;
    while at < bytes.len() {
        if bytes[at] == b'\\' && !raw {
            at += 2;
        } else if bytes[at..].starts_with(&[quote; 3][..width]) {
            return at + width;
        } else {
            at += 1;
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_limit(text: &str, expected: Option<&str>) {
        let error = check(text).err();
        let told = &text[..text.len().min(40)];
        match expected {
            Some(part) => assert!(
                error.as_ref().is_some_and(|error| error.contains(part)),
                "{told}: {error:?}"
            ),
            None => assert_eq!(error, None, "{told}"),
        }
    }

    #[test]
    fn table() {
        check_limit("variables.containers.all(c, c.?a.?b.orValue(true) == false)", None);
        check_limit(&format!("'{}'", "(".repeat(200)), None);
        check_limit(&format!("r'\\{}'", "'+'(".repeat(2)), None);
        check_limit(&format!("// {}\ntrue", "(".repeat(200)), None);
        check_limit(&format!("{}1{}", "(".repeat(100), ")".repeat(100)), None);
        check_limit(&format!("{}1{}", "(".repeat(101), ")".repeat(101)), Some("100 brackets"));
        check_limit(&"(".repeat(101), Some("100 brackets"));
        check_limit(&format!("1{}", "+1".repeat(400)), None);
        check_limit(&format!("1{}", "+1".repeat(512)), Some("512 levels"));
        check_limit(&format!("{}true", "!".repeat(600)), Some("512 levels"));
        check_limit(&format!("a{}", ".b".repeat(600)), Some("512 levels"));
        check_limit(&"true ? 1 : ".repeat(600), Some("512 levels"));
        check_limit(&format!("[{}]", vec!["a.b"; 4000].join(",")), None);
        check_limit(&" ".repeat(MAX_BYTES + 1), Some("32 KiB"));
    }
}
