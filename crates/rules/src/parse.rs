//! Condition text to its tree.
//!
//! Grammar after libsinsp's `filter/parser.h` (0.25): `or` binds weaker than `and`, `not` tightest; comparisons are
//! field, operator, value. Parsing keeps its own stack, so nesting cannot exhaust the thread's.
use crate::condition::{
    Argument, Check, Condition, Expr, ExprId, FieldName, Literal, MAX_DEPTH, Modifier, Op, Operand,
    Right, Transformer,
};
use crate::suggest::did_you_mean;
use crate::yaml::Place;
use seawall_model::Problem;

/// Transformers within transformers; two are usual.
const MAX_TRANSFORMERS: usize = 16;

/// Text with the place of each byte and of its end.
pub(crate) struct Text<'t> {
    pub(crate) text: &'t str,
    pub(crate) places: &'t [Place],
}

/// Parses one condition. The problem lacks the file's name, which the caller knows.
pub(crate) fn parse(text: &Text<'_>) -> Result<Condition, (Problem, Place)> {
    let mut parser =
        Parser { text: text.text, places: text.places, at: 0, condition: Condition::default() };
    parser.condition()?;
    Ok(parser.condition)
}

/// Parses `%field`'s part after the percent sign; returns what it read and how many bytes.
pub(crate) fn parse_output_operand(text: &Text<'_>) -> Result<(Operand, usize), (Problem, Place)> {
    let mut parser =
        Parser { text: text.text, places: text.places, at: 0, condition: Condition::default() };
    match parser.operand()? {
        Some(operand) => Ok((operand, parser.at)),
        None => Err(parser.wrong("expected a field or a transformer after `%`")),
    }
}

type Parsed<T> = Result<T, (Problem, Place)>;

struct Parser<'t> {
    text: &'t str,
    places: &'t [Place],
    at: usize,
    condition: Condition,
}

/// One open parenthesis (or the whole text): finished operands of `or`, then those of the running `and`.
#[derive(Default)]
struct Level {
    alternatives: Vec<ExprId>,
    conjuncts: Vec<ExprId>,
    negated: bool,
    /// The `not` before the parenthesis that opened this level.
    outer_negated: bool,
    and_or: (bool, bool),
}

impl<'t> Parser<'t> {
    fn condition(&mut self) -> Parsed<()> {
        let mut levels = vec![Level::default()];
        loop {
            self.term(&mut levels)?;
            // After a term: close parentheses, then a connective or the end.
            loop {
                self.blanks();
                if !self.take(")") {
                    break;
                }
                if levels.len() == 1 {
                    self.at -= 1;
                    return Err(self.wrong("this `)` closes nothing"));
                }
                let Some(level) = levels.pop() else { break };
                let outer_negated = level.outer_negated;
                let inner = self.finish(level);
                let value = if outer_negated { self.push(Expr::Not(inner)) } else { inner };
                if let Some(level) = levels.last_mut() {
                    level.conjuncts.push(value);
                }
            }
            if self.at == self.text.len() {
                break;
            }
            self.connective(&mut levels)?;
        }
        if levels.len() > 1 {
            return Err(self.wrong("expected a `)`"));
        }
        if let Some(level) = levels.pop() {
            self.condition.root = self.finish(level);
        }
        Ok(())
    }

    /// Reads `not`s and `(`s, then one comparison or macro.
    fn term(&mut self, levels: &mut Vec<Level>) -> Parsed<()> {
        loop {
            self.blanks();
            let depth = levels.len();
            let Some(level) = levels.last_mut() else { return Ok(()) };
            if self.take_word("not") {
                level.negated = !level.negated;
            } else if self.take("(") {
                if depth >= MAX_DEPTH {
                    self.at -= 1;
                    let message = format!("parentheses nested more than {MAX_DEPTH} deep");
                    return Err((Problem::error("too-deep", message), self.place()));
                }
                let negated = std::mem::take(&mut level.negated);
                levels.push(Level { outer_negated: negated, ..Level::default() });
            } else {
                let negated = std::mem::take(&mut level.negated);
                let expr = self.check()?;
                let mut id = self.push(expr);
                if negated {
                    id = self.push(Expr::Not(id));
                }
                if let Some(level) = levels.last_mut() {
                    level.conjuncts.push(id);
                }
                return Ok(());
            }
        }
    }

    fn connective(&mut self, levels: &mut [Level]) -> Parsed<()> {
        let place = self.place();
        let Some(level) = levels.last_mut() else { return Ok(()) };
        if self.take_word("and") {
            level.and_or.0 = true;
        } else if self.take_word("or") {
            level.and_or.1 = true;
            let conjuncts = std::mem::take(&mut level.conjuncts);
            let id = self.conjunction(conjuncts);
            if let Some(level) = levels.last_mut() {
                level.alternatives.push(id);
            }
        } else {
            return Err(self.wrong("expected `and`, `or` or the end of the condition"));
        }
        if levels.last().is_some_and(|level| level.and_or == (true, true)) {
            self.condition.mixed.get_or_insert(place);
        }
        Ok(())
    }

    fn finish(&mut self, level: Level) -> ExprId {
        let last = self.conjunction(level.conjuncts);
        if level.alternatives.is_empty() {
            return last;
        }
        let mut alternatives = level.alternatives;
        alternatives.push(last);
        self.push(Expr::Or(alternatives))
    }

    fn conjunction(&mut self, conjuncts: Vec<ExprId>) -> ExprId {
        match conjuncts.as_slice() {
            [one] => *one,
            _ => self.push(Expr::And(conjuncts)),
        }
    }

    fn push(&mut self, expr: Expr) -> ExprId {
        self.condition.nodes.push(expr);
        (self.condition.nodes.len() - 1) as ExprId
    }

    fn check(&mut self) -> Parsed<Expr> {
        let start = self.at;
        let Some(left) = self.operand()? else {
            let name = self.identifier();
            if name.is_empty() {
                return Err(self.wrong("expected a comparison, a macro or `(`"));
            }
            if self.rest().starts_with('(') {
                self.at = start;
                let names = Transformer::ALL.iter().map(|transformer| transformer.as_str());
                let mut problem =
                    Problem::error("unknown-operator", format!("no transformer `{name}`"));
                problem.help = did_you_mean(name, names);
                return Err((problem, self.places[start]));
            }
            return Ok(Expr::Macro { name: name.to_owned(), place: self.places[start] });
        };
        self.blanks();
        let op_place = self.place();
        let op = self.operator()?;
        if op == Op::Exists {
            return Ok(Expr::Check(Box::new(Check {
                left,
                op,
                modifier: None,
                right: Right::None,
                op_place,
            })));
        }
        self.blanks();
        let modifier = if op.takes_modifier() { self.modifier() } else { None };
        let right = if modifier.is_some() || op.is_list() { self.list()? } else { self.value(op)? };
        Ok(Expr::Check(Box::new(Check { left, op, modifier, right, op_place })))
    }

    /// A field or a transformer, or nothing where neither begins here.
    fn operand(&mut self) -> Parsed<Option<Operand>> {
        self.operand_at(0)
    }

    fn operand_at(&mut self, depth: usize) -> Parsed<Option<Operand>> {
        let (start, place) = (self.at, self.place());
        if depth > MAX_TRANSFORMERS {
            let message = format!("transformers nested more than {MAX_TRANSFORMERS} deep");
            return Err((Problem::error("too-deep", message), place));
        }
        let name = self.identifier();
        if self.rest().starts_with('(') {
            let Some(transformer) = Transformer::parse(name) else {
                self.at = start;
                return Ok(None);
            };
            self.at += 1;
            let arguments = self.arguments(depth)?;
            let selector = if self.rest().starts_with('[') { Some(self.bracket()?) } else { None };
            return Ok(Some(Operand::Transform { transformer, arguments, selector, place }));
        }
        if name.is_empty() || !self.rest().starts_with('.') {
            self.at = start;
            return Ok(None);
        }
        Ok(Some(Operand::Field(self.field(start)?)))
    }

    /// `[a-zA-Z][a-zA-Z0-9_]*(\.[a-zA-Z][a-zA-Z0-9_-/]*)+`, then an optional `[argument]`. Dots may be followed by
    /// more than libsinsp's token allows, because labels are written `k8s.pod.label.app.kubernetes.io/name`.
    fn field(&mut self, start: usize) -> Parsed<FieldName> {
        let label = self.text[start..].starts_with("k8s.pod.label.");
        loop {
            let rest = self.rest();
            let follows = rest.strip_prefix('.').and_then(|after| after.chars().next());
            if !follows.is_some_and(|next| next.is_ascii_alphabetic()) {
                break;
            }
            let more = |c: char| {
                c.is_ascii_alphanumeric() || c == '_' || (label && matches!(c, '-' | '/'))
            };
            let length = rest[1..].find(|c: char| !more(c)).unwrap_or(rest.len() - 1);
            self.at += 1 + length;
        }
        let name = self.text[start..self.at].to_owned();
        let argument = if self.rest().starts_with('[') { Some(self.bracket()?) } else { None };
        Ok(FieldName { name, argument, place: self.places[start] })
    }

    fn bracket(&mut self) -> Parsed<String> {
        self.at += 1;
        let argument = match self.quoted()? {
            Some(text) => text,
            None => {
                let stop = |c: char| c.is_whitespace() || matches!(c, '[' | ']' | '"' | '\'');
                self.until(stop).to_owned()
            }
        };
        if argument.is_empty() {
            return Err(self.wrong("expected an argument between `[` and `]`"));
        }
        if !self.take("]") {
            return Err(self.wrong("expected a `]`"));
        }
        Ok(argument)
    }

    fn arguments(&mut self, depth: usize) -> Parsed<Vec<Argument>> {
        let mut arguments = Vec::new();
        loop {
            self.blanks();
            if let Some(operand) = self.operand_at(depth + 1)? {
                arguments.push(Argument::Operand(operand));
            } else if let Some(text) = self.quoted()? {
                arguments.push(Argument::Literal(text));
            } else {
                return Err(self.wrong("expected a field or a transformer"));
            }
            self.blanks();
            if self.take(")") {
                return Ok(arguments);
            }
            if !self.take(",") {
                return Err(self.wrong("expected a `,` or the `)` that closes the transformer"));
            }
        }
    }

    fn operator(&mut self) -> Parsed<Op> {
        for symbol in ["==", "!=", "<=", ">=", "=", "<", ">"] {
            if self.take(symbol) {
                return Ok(Op::parse(symbol).unwrap_or(Op::Eq));
            }
        }
        let start = self.at;
        let word = self.identifier();
        if let Some(op) = Op::parse(word) {
            return Ok(op);
        }
        self.at = start;
        let shown = if word.is_empty() { self.until(char::is_whitespace) } else { word };
        if shown.is_empty() {
            return Err(self.wrong("expected an operator after the field"));
        }
        let mut problem = Problem::error("unknown-operator", format!("no operator `{shown}`"));
        problem.help = did_you_mean(shown, Op::ALL.iter().map(|op| op.as_str()));
        Err((problem, self.places[start]))
    }

    fn modifier(&mut self) -> Option<Modifier> {
        let start = self.at;
        let modifier = match self.identifier() {
            "oneof" => Some(Modifier::OneOf),
            "anyof" => Some(Modifier::AnyOf),
            "allof" => Some(Modifier::AllOf),
            _ => None,
        };
        self.blanks();
        if modifier.is_none() || !self.rest().starts_with('(') {
            self.at = start;
            return None;
        }
        modifier
    }

    fn value(&mut self, op: Op) -> Parsed<Right> {
        if let Some(operand) = self.transformed()? {
            return Ok(Right::Operand(operand));
        }
        match self.literal()? {
            Some(literal) => Ok(Right::Literal(literal)),
            None => Err(self.wrong(&format!("expected a value after `{}`", op.as_str()))),
        }
    }

    /// On the right only a transformer is computed: a bare `proc.pname` is text.
    fn transformed(&mut self) -> Parsed<Option<Operand>> {
        let start = self.at;
        let name = self.identifier();
        let known = Transformer::parse(name).is_some() && self.rest().starts_with('(');
        self.at = start;
        if known { self.operand() } else { Ok(None) }
    }

    fn list(&mut self) -> Parsed<Right> {
        self.blanks();
        if !self.take("(") {
            if let Some(operand) = self.transformed()? {
                return Ok(Right::Operand(operand));
            }
            let place = self.place();
            let name = self.identifier();
            if name.is_empty() {
                return Err(self.wrong("expected a list in parentheses or the name of one"));
            }
            return Ok(Right::ListName(Literal { text: name.to_owned(), quoted: false, place }));
        }
        let mut values = Vec::new();
        loop {
            self.blanks();
            if values.is_empty() && self.take(")") {
                return Ok(Right::List(values));
            }
            match self.literal()? {
                Some(literal) => values.push(literal),
                None => return Err(self.wrong("expected a value of the list")),
            }
            self.blanks();
            if self.take(")") {
                return Ok(Right::List(values));
            }
            if !self.take(",") {
                return Err(self.wrong("expected a `,` or the `)` that closes the list"));
            }
        }
    }

    fn literal(&mut self) -> Parsed<Option<Literal>> {
        let place = self.place();
        if let Some(text) = self.quoted()? {
            return Ok(Some(Literal { text, quoted: true, place }));
        }
        let stop = |c: char| c.is_whitespace() || matches!(c, '(' | ')' | '"' | '\'' | '=' | ',');
        let text = self.until(stop);
        Ok((!text.is_empty()).then(|| Literal { text: text.to_owned(), quoted: false, place }))
    }

    fn quoted(&mut self) -> Parsed<Option<String>> {
        let start = self.at;
        let Some(quote) = self.rest().chars().next().filter(|c| matches!(c, '"' | '\'')) else {
            return Ok(None);
        };
        let mut escaped = false;
        for (index, c) in self.rest().char_indices().skip(1) {
            if c == quote && !escaped {
                let inner = &self.text[start + 1..start + index];
                let text = unescape(inner).map_err(|(at, message)| {
                    (Problem::error("syntax", message), self.places[start + 1 + at])
                })?;
                self.at = start + index + 1;
                return Ok(Some(text));
            }
            escaped = c == '\\' && !escaped;
        }
        Err((Problem::error("syntax", "the quote is never closed"), self.places[start]))
    }

    fn identifier(&mut self) -> &'t str {
        if !self.rest().starts_with(|c: char| c.is_ascii_alphabetic()) {
            return "";
        }
        self.until(|c| !c.is_ascii_alphanumeric() && c != '_')
    }

    fn until(&mut self, stop: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let length = rest.find(stop).unwrap_or(rest.len());
        self.at += length;
        &rest[..length]
    }

    fn blanks(&mut self) {
        self.until(|c| !c.is_whitespace());
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    /// A keyword followed by a blank, a parenthesis or the end.
    fn take_word(&mut self, word: &str) -> bool {
        let follows = self.rest().strip_prefix(word).map(|rest| rest.chars().next());
        let found = follows.is_some_and(|next| next.is_none_or(|c| c.is_whitespace() || c == '('));
        if found {
            self.at += word.len();
        }
        found
    }

    fn rest(&self) -> &'t str {
        &self.text[self.at..]
    }

    fn place(&self) -> Place {
        self.places.get(self.at).copied().unwrap_or_default()
    }

    fn wrong(&self, message: &str) -> (Problem, Place) {
        (Problem::error("syntax", message), self.place())
    }
}

/// Resolves escapes as libsinsp's `unescape_str` does, and `\xHH`. A backslash before a blank stays, which old public
/// rules rely on; before any other character it is an error with the offset of the backslash.
pub(crate) fn unescape(text: &str) -> Result<String, (usize, String)> {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some((_, escape)) = chars.next() else {
            return Err((at, "nothing follows the backslash".into()));
        };
        match escape {
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            '\\' | '/' | '"' | '\'' => out.push(escape),
            ' ' => out.push('\\'),
            'x' => {
                let digits: String = chars.by_ref().take(2).map(|(_, digit)| digit).collect();
                match u8::from_str_radix(&digits, 16) {
                    Ok(byte) if digits.len() == 2 && byte != 0 => out.push(char::from(byte)),
                    _ => {
                        return Err((
                            at,
                            format!("`\\x{digits}` is no byte in two hexadecimal digits"),
                        ));
                    }
                }
            }
            // Conditions carry regular expressions, whose own escapes pass unchanged.
            other if !other.is_alphanumeric() || "dDsSwWBAzp".contains(other) => {
                out.extend(['\\', other])
            }
            other => return Err((at, format!("no escape `\\{other}` in a quoted value"))),
        }
    }
    Ok(out)
}

/// Reads a list item: an item that carries quotes of its own, `'"(systemd)"'` in YAML, means what they enclose.
pub(crate) fn unquote(text: &str) -> String {
    let inner =
        ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    inner.and_then(|inner| unescape(inner).ok()).unwrap_or_else(|| text.to_owned())
}
