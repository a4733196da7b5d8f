//! Calico's selector expressions: `app == 'web' && has(tier) || !(zone in {'a', 'b'})`.
use serde_json::Value;

/// Bytes of one expression; real ones have a few hundred.
const MAX_TEXT: usize = 16 << 10;
/// Brackets and negations inside each other.
const MAX_DEPTH: usize = 64;

/// Source: Calico, `libcalico-go/lib/selector`, and its reference of selectors.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Expression {
    All,
    /// What selects hosts or other global things: no pod.
    Global,
    Has(String),
    Equal(String, String),
    NotEqual(String, String),
    In(String, Vec<String>),
    NotIn(String, Vec<String>),
    Contains(String, String),
    StartsWith(String, String),
    EndsWith(String, String),
    Not(Box<Expression>),
    And(Vec<Expression>),
    Or(Vec<Expression>),
}

impl Expression {
    /// Errors: what is not understood, in words.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if text.len() > MAX_TEXT {
            return Err(format!("a selector is over {MAX_TEXT} bytes"));
        }
        let mut parser = Parser { rest: text, depth: 0 };
        let expression = parser.or()?;
        if parser.rest.trim_start().is_empty() {
            Ok(expression)
        } else {
            Err(format!("`{}` is not understood", parser.rest.trim()))
        }
    }

    /// Whether labels, a JSON map, satisfy it. What is compared with an absent label: `!=` and `not in` hold.
    pub(super) fn holds(&self, labels: &Value) -> bool {
        let label = |key: &str| labels.get(key).and_then(Value::as_str);
        match self {
            Self::All => true,
            Self::Global => false,
            Self::Has(key) => label(key).is_some(),
            Self::Equal(key, value) => label(key) == Some(value),
            Self::NotEqual(key, value) => label(key) != Some(value),
            Self::In(key, values) => {
                label(key).is_some_and(|found| values.iter().any(|value| value == found))
            }
            Self::NotIn(key, values) => {
                label(key).is_none_or(|found| values.iter().all(|value| value != found))
            }
            Self::Contains(key, part) => {
                label(key).is_some_and(|found| found.contains(part.as_str()))
            }
            Self::StartsWith(key, part) => {
                label(key).is_some_and(|found| found.starts_with(part.as_str()))
            }
            Self::EndsWith(key, part) => {
                label(key).is_some_and(|found| found.ends_with(part.as_str()))
            }
            Self::Not(inner) => !inner.holds(labels),
            Self::And(parts) => parts.iter().all(|part| part.holds(labels)),
            Self::Or(parts) => parts.iter().any(|part| part.holds(labels)),
        }
    }
}

struct Parser<'t> {
    rest: &'t str,
    depth: usize,
}

impl<'t> Parser<'t> {
    fn take(&mut self, token: &str) -> bool {
        let rest = self.rest.trim_start();
        match rest.strip_prefix(token) {
            Some(after) => {
                self.rest = after;
                true
            }
            None => false,
        }
    }

    /// A word of the language, which no label's name goes on.
    fn word(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start();
        let whole = rest.strip_prefix(word).is_some_and(|after| !after.starts_with(is_name));
        whole && self.take(word)
    }

    fn expect(&mut self, token: &str) -> Result<(), String> {
        if self.take(token) {
            Ok(())
        } else {
            Err(format!("`{token}` is missing before `{}`", self.rest.trim()))
        }
    }

    fn or(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.and()?];
        while self.take("||") {
            parts.push(self.and()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::Or(parts) })
    }

    fn and(&mut self) -> Result<Expression, String> {
        let mut parts = vec![self.unary()?];
        while self.take("&&") {
            parts.push(self.unary()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Expression::And(parts) })
    }

    fn unary(&mut self) -> Result<Expression, String> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(format!("a selector is over {MAX_DEPTH} deep"));
        }
        let found = if self.take("!") {
            self.unary().map(|inner| Expression::Not(Box::new(inner)))
        } else if self.take("(") {
            self.or().and_then(|inner| self.expect(")").map(|()| inner))
        } else {
            self.comparison()
        };
        self.depth -= 1;
        found
    }

    fn comparison(&mut self) -> Result<Expression, String> {
        if self.word("all") {
            return self.expect("(").and_then(|()| self.expect(")")).map(|()| Expression::All);
        }
        if self.word("global") {
            return self.expect("(").and_then(|()| self.expect(")")).map(|()| Expression::Global);
        }
        if self.word("has") {
            self.expect("(")?;
            let key = self.name()?;
            return self.expect(")").map(|()| Expression::Has(key));
        }
        let key = self.name()?;
        if self.take("==") {
            return self.text().map(|value| Expression::Equal(key, value));
        }
        if self.take("!=") {
            return self.text().map(|value| Expression::NotEqual(key, value));
        }
        if self.word("not") {
            if !self.word("in") {
                return Err("`not` is followed by `in`".to_owned());
            }
            return self.set().map(|values| Expression::NotIn(key, values));
        }
        if self.word("in") {
            return self.set().map(|values| Expression::In(key, values));
        }
        if self.word("contains") {
            return self.text().map(|part| Expression::Contains(key, part));
        }
        let (starts, ends) = (self.word("starts"), self.word("ends"));
        if (starts || ends) && self.word("with") {
            let part = self.text()?;
            let found = if starts { Expression::StartsWith } else { Expression::EndsWith };
            return Ok(found(key, part));
        }
        Err(format!("`{}` is not understood", self.rest.trim()))
    }

    fn name(&mut self) -> Result<String, String> {
        let rest = self.rest.trim_start();
        let end = rest.find(|c: char| !is_name(c)).unwrap_or(rest.len());
        if end == 0 {
            return Err(format!("a label's name is missing before `{rest}`"));
        }
        self.rest = &rest[end..];
        Ok(rest[..end].to_owned())
    }

    fn text(&mut self) -> Result<String, String> {
        let rest = self.rest.trim_start();
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        let found = quote.and_then(|quote| rest[1..].split_once(quote));
        let (value, after) =
            found.ok_or_else(|| format!("a quoted text is missing before `{rest}`"))?;
        self.rest = after;
        Ok(value.to_owned())
    }

    fn set(&mut self) -> Result<Vec<String>, String> {
        self.expect("{")?;
        let mut values = Vec::new();
        while !self.take("}") {
            if !values.is_empty() {
                self.expect(",")?;
            }
            values.push(self.text()?);
        }
        Ok(values)
    }
}

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/')
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn expressions() {
        let labels = json!({"app": "web-1", "tier": "front"});
        for (text, expected) in [
            ("all()", true),
            ("global()", false),
            ("app == 'web-1'", true),
            ("app != \"web-1\" || has(tier)", true),
            ("has(app) && !has(tier)", false),
            ("!(app == 'x' && tier == 'y')", true),
            ("tier in { 'front', 'back' }", true),
            ("tier not in {'front'}", false),
            ("zone not in {'a'}", true),
            ("app starts with 'web' && app ends with '1' && app contains 'b-'", true),
            ("haslabel == 'x'", false),
        ] {
            assert_eq!(Expression::parse(text).unwrap().holds(&labels), expected, "{text}");
        }
        for text in
            ["", "app", "app == web", "app = 'x'", "(app == 'x'", "all() extra", "app in {'a' 'b'}"]
        {
            assert!(Expression::parse(text).is_err(), "{text}");
        }
        assert!(Expression::parse(&"!".repeat(1_000)).unwrap_err().contains("deep"));
    }
}
