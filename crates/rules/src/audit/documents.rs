//! Bytes to JSON documents: one a line, one after the other, pretty-printed, or elements of one array of any length.
//! What is broken ends at its line, so that the documents behind it are found.

/// The largest document, a whole batch. An API server's webhook body is bounded by the same number.
pub const MAX_DOCUMENT_BYTES: usize = 16 << 20;

/// Cuts a stream; see [`Documents::push`].
#[derive(Debug, Default)]
pub(super) struct Documents {
    buffer: Vec<u8>,
    /// Scanned so far.
    at: usize,
    state: State,
    /// Arrays open around the documents.
    arrays: u32,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum State {
    #[default]
    Between,
    /// What is no object, up to its end.
    Junk {
        start: usize,
    },
    Inside {
        start: usize,
        depth: u32,
        string: bool,
        escaped: bool,
    },
    /// The rest of a line that is too long.
    Skip,
}

/// A piece of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'b> {
    /// Braces balance; the rest is for a parser to say.
    Document(&'b [u8]),
    /// Braces do not balance, or it is no object: [`lines`] may find documents in it.
    Broken(&'b [u8]),
    /// More than [`MAX_DOCUMENT_BYTES`] in one line.
    TooLong,
}

impl Documents {
    /// Takes the next bytes and hands out every piece that they complete.
    pub(super) fn push(&mut self, bytes: &[u8], mut out: impl FnMut(Piece<'_>)) {
        self.buffer.extend_from_slice(bytes);
        while self.at < self.buffer.len() {
            self.step(&mut out);
        }
        let kept = match self.state {
            State::Between | State::Skip => self.at,
            State::Junk { start } | State::Inside { start, .. } => start,
        };
        self.forget(kept);
        if self.buffer.len() > MAX_DOCUMENT_BYTES {
            self.give_up(&mut out);
        }
    }

    /// Hands out what is left at the end of the stream.
    pub(super) fn end(&mut self, mut out: impl FnMut(Piece<'_>)) {
        if let State::Junk { start } | State::Inside { start, .. } = self.state {
            out(Piece::Broken(&self.buffer[start..]));
        }
        *self = Self::default();
    }

    fn forget(&mut self, before: usize) {
        self.buffer.drain(..before);
        self.at -= before;
        if let State::Junk { start } | State::Inside { start, .. } = &mut self.state {
            *start -= before;
        }
    }

    /// The document does not end. Its whole lines are given out as broken, the last one begins anew.
    fn give_up(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        match self.buffer.iter().rposition(|byte| *byte == b'\n') {
            Some(newline) => {
                out(Piece::Broken(&self.buffer[..newline]));
                (self.at, self.state) = (newline + 1, State::Between);
                self.forget(newline + 1);
                while self.at < self.buffer.len() {
                    self.step(out);
                }
            }
            None => {
                out(Piece::TooLong);
                self.state = State::Skip;
                self.forget(self.at);
            }
        }
    }

    fn step(&mut self, out: &mut impl FnMut(Piece<'_>)) {
        let (at, byte) = (self.at, self.buffer[self.at]);
        self.at += 1;
        match &mut self.state {
            State::Skip if byte == b'\n' => self.state = State::Between,
            State::Skip => {}
            State::Between => self.begin(at, byte),
            State::Junk { start } => {
                let inner = self.arrays > 0 && matches!(byte, b',' | b']');
                if byte == b'\n' || inner {
                    out(Piece::Broken(&self.buffer[*start..at]));
                    self.state = State::Between;
                    self.arrays -= u32::from(byte == b']');
                }
            }
            State::Inside { start, depth, string, escaped } => {
                let mut cursor = Cursor { depth: *depth, string: *string, escaped: *escaped };
                let (start, end) = (*start, cursor.run(&self.buffer[at..]));
                let Some((end, whole)) = end.map(|(length, whole)| (at + length, whole)) else {
                    self.at = self.buffer.len();
                    let Cursor { depth, string, escaped } = cursor;
                    self.state = State::Inside { start, depth, string, escaped };
                    return;
                };
                let text = &self.buffer[start..end];
                out(if whole { Piece::Document(text) } else { Piece::Broken(text) });
                (self.at, self.state) = (end, State::Between);
            }
        }
    }

    fn begin(&mut self, at: usize, byte: u8) {
        match byte {
            b'{' => {
                self.state = State::Inside { start: at, depth: 1, string: false, escaped: false };
            }
            b'[' => self.arrays = self.arrays.saturating_add(1),
            b']' => self.arrays = self.arrays.saturating_sub(1),
            // RFC 7464 puts a record separator before each text, Windows editors a byte order mark before the first.
            b',' | b' ' | b'\t' | b'\r' | b'\n' | 0x1e | 0xef | 0xbb | 0xbf => {}
            _ => self.state = State::Junk { start: at },
        }
    }
}

/// Where a scan stands inside a document.
struct Cursor {
    depth: u32,
    string: bool,
    escaped: bool,
}

impl Cursor {
    /// Scans on. The length up to where the document ends and whether it is whole; `None` where it goes on behind the
    /// bytes. The bulk of all work is done here, so the state is local to one tight loop.
    fn run(&mut self, bytes: &[u8]) -> Option<(usize, bool)> {
        let mut at = 0;
        while let Some(byte) = bytes.get(at).copied() {
            if self.string {
                match byte {
                    // JSON has no line breaks in strings, so the document was cut off.
                    b'\n' => return Some((at, false)),
                    _ if self.escaped => self.escaped = false,
                    b'\\' => self.escaped = true,
                    b'"' => self.string = false,
                    _ => {
                        let plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | b'\n');
                        let rest = &bytes[at + 1..];
                        at += rest.iter().position(|byte| !plain(byte)).unwrap_or(rest.len());
                    }
                }
            } else {
                match byte {
                    b'"' => self.string = true,
                    b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                    b'}' | b']' => {
                        self.depth -= 1;
                        if self.depth == 0 {
                            return Some((at + 1, true));
                        }
                    }
                    _ => {}
                }
            }
            at += 1;
        }
        None
    }
}

/// Broken text as what may be documents: each begins with a line that begins with a brace.
pub(super) fn lines(text: &[u8]) -> Vec<&[u8]> {
    let mut starts = vec![0];
    let breaks = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    starts.extend(breaks.map(|(at, _)| at + 1).filter(|at| text.get(*at) == Some(&b'{')));
    let ends = starts[1..].iter().copied().chain([text.len()]);
    starts.iter().zip(ends).map(|(start, end)| without_comma(&text[*start..end])).collect()
}

fn without_comma(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii();
    text.strip_suffix(b",").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `=` before a document, `!` before what is broken; the same however the bytes arrive.
    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        for size in [1, 3, text.len().max(1)] {
            let mut found = Vec::new();
            let mut documents = Documents::default();
            let mut out = |piece: Piece<'_>| {
                found.push(match piece {
                    Piece::Document(bytes) => format!("={}", String::from_utf8_lossy(bytes)),
                    Piece::Broken(bytes) => format!("!{}", String::from_utf8_lossy(bytes)),
                    Piece::TooLong => "too long".into(),
                });
            };
            for chunk in text.as_bytes().chunks(size) {
                documents.push(chunk, &mut out);
            }
            documents.end(&mut out);
            assert_eq!(found, expected, "{text:?} by {size}");
        }
    }

    #[test]
    fn documents_are_found_in_every_layout() {
        check("", &[]);
        check("{}\n{}\n", &["={}", "={}"]);
        check("{} {}{}", &["={}", "={}", "={}"]);
        check("[{}, {}]", &["={}", "={}"]);
        check("[\n  {\n    \"a\": [1]\n  }\n]\n", &["={\n    \"a\": [1]\n  }"]);
        check("\u{feff}{}\r\n\u{1e}{}", &["={}", "={}"]);
        check(r#"{"a":"}\"{\\"}"#, &[r#"={"a":"}\"{\\"}"#]);
    }

    #[test]
    fn what_is_broken_ends_at_its_line_or_element() {
        check("{\"a\": \"x\n{}\n", &["!{\"a\": \"x", "={}"]);
        check("hello\n{}\n", &["!hello", "={}"]);
        check("[1, null, {}]{}", &["!1", "!null", "={}", "={}"]);
        check("{}}\n{}", &["={}", "!}", "={}"]);
        check("{\"a\":\n{}\n", &["!{\"a\":\n{}\n"]);
        assert_eq!(lines(b"{\"a\":\n{},\n {}\n{"), [&b"{\"a\":"[..], b"{},\n {}", b"{"]);
    }

    #[test]
    fn an_endless_document_costs_no_more_than_its_bound() {
        let mut documents = Documents::default();
        let mut found = Vec::new();
        let mut out = |piece: Piece<'_>| {
            found.push(match piece {
                Piece::TooLong => "too long",
                Piece::Document(_) => "document",
                Piece::Broken(_) => "broken",
            })
        };
        documents.push(b"{\"a\":\"", &mut out);
        for _ in 0..20 {
            documents.push(&vec![b'x'; 1 << 20], &mut out);
            assert!(documents.buffer.len() <= MAX_DOCUMENT_BYTES);
        }
        documents.push(b"\n{}\n{\n", &mut out);
        for _ in 0..(17 << 20) / 64 {
            documents.push(&[b"{}".repeat(30), b"\n{}\n".to_vec()].concat(), &mut out);
        }
        documents.end(&mut out);
        assert_eq!(found[..3], ["too long", "document", "broken"]);
    }
}
