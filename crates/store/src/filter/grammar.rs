//! Text to syntax tree, with places. What fields and values mean is `compile`'s.
use super::FilterError;

/// Characters of a filter; URLs end near there anyway.
const MAX_LENGTH: usize = 4_096;
/// Parentheses and minus signs within each other: parsing recurses.
const MAX_DEPTH: usize = 32;
/// Terms and listed values: each becomes a comparison of the statement.
const MAX_TERMS: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    All(Vec<Syntax>),
    Any(Vec<Syntax>),
    Not(Box<Syntax>),
    Words(Text),
    Field { name: Text, operator: Operator, values: Vec<Text> },
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Text {
    /// 1-based, in characters.
    pub(super) position: usize,
    pub(super) text: String,
    /// No wildcard, no keyword.
    pub(super) quoted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operator {
    Equals,
    Above,
    AtLeast,
    Below,
    AtMost,
}

/// An empty text is `All` of nothing.
pub(super) fn parse(text: &str) -> Result<Syntax, FilterError> {
    let chars: Vec<char> = text.chars().collect();
    if chars.len() > MAX_LENGTH {
        let message = format!("it is longer than {MAX_LENGTH} characters");
        return Err(FilterError { position: MAX_LENGTH, message, nearest: None });
    }
    let mut parser = Parser { chars, at: 0, depth: 0, terms: 0 };
    parser.space();
    if parser.at == parser.chars.len() {
        return Ok(Syntax::All(Vec::new()));
    }
    let syntax = parser.any()?;
    match parser.peek() {
        None => Ok(syntax),
        Some(_) => Err(parser.error("`)` closes nothing")),
    }
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
    terms: usize,
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
    }

    fn error(&self, message: impl Into<String>) -> FilterError {
        self.error_at(self.at, message)
    }

    fn error_at(&self, at: usize, message: impl Into<String>) -> FilterError {
        FilterError { position: at + 1, message: message.into(), nearest: None }
    }

    /// Whether the keyword stands here as a word of its own; consumes it.
    fn keyword(&mut self, word: &str) -> bool {
        let end = self.at + word.len();
        let is_word =
            self.chars.get(self.at..end).is_some_and(|here| here.iter().copied().eq(word.chars()));
        let ends =
            self.chars.get(end).is_none_or(|c| c.is_whitespace() || matches!(c, '(' | ')' | '"'));
        if is_word && ends {
            self.at = end;
            self.space();
        }
        is_word && ends
    }

    fn any(&mut self) -> Result<Syntax, FilterError> {
        let mut alternatives = vec![self.all()?];
        while self.keyword("OR") {
            alternatives.push(self.all()?);
        }
        Ok(one_or(alternatives, Syntax::Any))
    }

    fn all(&mut self) -> Result<Syntax, FilterError> {
        let mut items = Vec::new();
        loop {
            let before = self.at;
            if self.keyword("AND") && items.is_empty() {
                return Err(
                    self.error_at(before, "nothing stands before AND; quote it to search for it")
                );
            }
            let after_and = self.at > before;
            let start = self.at;
            let ends = match self.peek() {
                None | Some(')') => true,
                Some(_) => self.keyword("OR"),
            };
            if ends {
                self.at = start;
                return match (items.is_empty(), after_and) {
                    (false, false) => Ok(one_or(items, Syntax::All)),
                    _ => Err(self.error("a term is missing here")),
                };
            }
            items.push(self.one()?);
            self.space();
        }
    }

    fn one(&mut self) -> Result<Syntax, FilterError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(self.error(format!("more than {MAX_DEPTH} levels of parentheses")));
        }
        let syntax = match self.peek() {
            Some('-') => {
                self.at += 1;
                match self.peek() {
                    None | Some(')') => return Err(self.error("a term is missing after `-`")),
                    Some(c) if c.is_whitespace() => {
                        return Err(
                            self.error("a term is missing after `-`; quote it to search for it")
                        );
                    }
                    Some(_) => Syntax::Not(Box::new(self.one()?)),
                }
            }
            Some('(') => {
                let open = self.at;
                self.at += 1;
                self.space();
                let inner = self.any()?;
                if self.peek() != Some(')') {
                    return Err(self.error_at(open, "`(` is not closed"));
                }
                self.at += 1;
                inner
            }
            _ => self.term()?,
        };
        self.depth -= 1;
        Ok(syntax)
    }

    fn term(&mut self) -> Result<Syntax, FilterError> {
        let start = self.at;
        let letter = |c: &char| c.is_ascii_alphabetic() || matches!(c, '_' | '.');
        let part = |c: &char| letter(c) || c.is_ascii_digit() || *c == '-';
        let mut end = start;
        if self.chars.get(start).is_some_and(letter) {
            end += self.chars[start..].iter().take_while(|c| part(c)).count();
        }
        if end > start && self.chars.get(end) == Some(&':') {
            let text = self.chars[start..end].iter().collect();
            let name = Text { position: start + 1, text, quoted: false };
            self.at = end + 1;
            return self.field(name);
        }
        self.count()?;
        Ok(Syntax::Words(self.text(false)?))
    }

    fn field(&mut self, name: Text) -> Result<Syntax, FilterError> {
        let (operator, length) = match (self.peek(), self.chars.get(self.at + 1)) {
            (Some('>'), Some('=')) => (Operator::AtLeast, 2),
            (Some('<'), Some('=')) => (Operator::AtMost, 2),
            (Some('>'), _) => (Operator::Above, 1),
            (Some('<'), _) => (Operator::Below, 1),
            _ => (Operator::Equals, 0),
        };
        self.at += length;
        let mut values = Vec::new();
        loop {
            self.count()?;
            values.push(self.text(true)?);
            if self.peek() != Some(',') {
                break;
            }
            self.at += 1;
        }
        if operator != Operator::Equals && values.len() > 1 {
            return Err(self.error_at(values[1].position - 1, "a comparison takes one value"));
        }
        Ok(Syntax::Field { name, operator, values })
    }

    fn count(&mut self) -> Result<(), FilterError> {
        self.terms += 1;
        match self.terms > MAX_TERMS {
            true => Err(self.error(format!("more than {MAX_TERMS} terms and values"))),
            false => Ok(()),
        }
    }

    /// A word or quoted text; a value of a list ends at its comma.
    fn text(&mut self, value: bool) -> Result<Text, FilterError> {
        let position = self.at + 1;
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let ends =
            |c: &char| c.is_whitespace() || matches!(c, '(' | ')' | '"') || (value && *c == ',');
        let text: String = self.chars[self.at..].iter().take_while(|c| !ends(c)).collect();
        self.at += text.chars().count();
        if text.is_empty() {
            return Err(self.error("a value is missing here; the empty text is \"\""));
        }
        Ok(Text { position, text, quoted: false })
    }

    fn quoted(&mut self) -> Result<Text, FilterError> {
        let open = self.at;
        self.at += 1;
        let mut text = String::new();
        loop {
            let c = self
                .peek()
                .ok_or_else(|| self.error_at(open, "the quotation mark is not closed"))?;
            self.at += 1;
            match c {
                '"' => return Ok(Text { position: open + 1, text, quoted: true }),
                '\\' if matches!(self.peek(), Some('"' | '\\')) => {
                    text.extend(self.peek());
                    self.at += 1;
                }
                c => text.push(c),
            }
        }
    }
}

/// The only item itself, or the group.
fn one_or(mut items: Vec<Syntax>, group: fn(Vec<Syntax>) -> Syntax) -> Syntax {
    match items.len() {
        1 => items.remove(0),
        _ => group(items),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The tree as nested text.
    fn show(syntax: &Syntax) -> String {
        let group = |items: &[Syntax]| items.iter().map(show).collect::<Vec<_>>().join(" ");
        let text = |text: &Text| match text.quoted {
            true => format!("{:?}", text.text),
            false => text.text.clone(),
        };
        match syntax {
            Syntax::All(items) => format!("(all {})", group(items)),
            Syntax::Any(items) => format!("(any {})", group(items)),
            Syntax::Not(item) => format!("(not {})", show(item)),
            Syntax::Words(words) => text(words),
            Syntax::Field { name, operator, values } => {
                let values: Vec<String> = values.iter().map(text).collect();
                format!("({operator:?} {} {})", name.text, values.join(" "))
            }
        }
    }

    #[track_caller]
    fn check(filter: &str, expected: &str) {
        match parse(filter) {
            Ok(syntax) => assert_eq!(show(&syntax), expected),
            Err(error) => assert_eq!(format!("{}: {}", error.position, error.message), expected),
        }
    }

    #[test]
    fn grammar() {
        check("", "(all )");
        check("  ", "(all )");
        check("a b", "(all a b)");
        check("a AND b", "(all a b)");
        check("a OR b c", "(any a (all b c))");
        check("ORDER by", "(all ORDER by)");
        check(
            "severity:>=high fix:available",
            "(all (AtLeast severity high) (Equals fix available))",
        );
        check("-ns:kube-system -(a OR b)", "(all (not (Equals ns kube-system)) (not (any a b)))");
        check("--a", "(not (not a))");
        check("f:a,\"b,c\",d*", "(Equals f a \"b,c\" d*)");
        check("f:*", "(Equals f *)");
        check("f:\"\"", "(Equals f \"\")");
        check(r#""a \"b\" \\ c""#, r#""a \"b\" \\ c""#);
        check(
            "(kev:true OR epss:>0.1)\"x\"",
            "(all (any (Equals kev true) (Above epss 0.1)) \"x\")",
        );
        check("10.0.0.1:80", "10.0.0.1:80");
        check("last:2026-01-01T08:00Z", "(Equals last 2026-01-01T08:00Z)");
        check("é-x", "é-x");
    }

    #[test]
    fn errors_have_places() {
        check("a)", "2: `)` closes nothing");
        check("é (a", "3: `(` is not closed");
        check("a OR", "5: a term is missing here");
        check("OR a", "1: a term is missing here");
        check("a AND", "6: a term is missing here");
        check("AND a", "1: nothing stands before AND; quote it to search for it");
        check("a OR OR b", "6: a term is missing here");
        check("()", "2: a term is missing here");
        check("f:", "3: a value is missing here; the empty text is \"\"");
        check("f:a,", "5: a value is missing here; the empty text is \"\"");
        check("f:>1,2", "6: a comparison takes one value");
        check("x \"abc", "3: the quotation mark is not closed");
        check("a - b", "4: a term is missing after `-`; quote it to search for it");
        check(&"(".repeat(40), "33: more than 32 levels of parentheses");
        check(&"a ".repeat(300), "513: more than 256 terms and values");
        check(&"a".repeat(5_000), "4096: it is longer than 4096 characters");
    }
}
