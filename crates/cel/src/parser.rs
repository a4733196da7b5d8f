//! Tokens → nodes, by precedence. Loops over chains and counts brackets and levels, so no text overflows the stack.
mod faults;

use crate::error::{CompileError, Stage};
use crate::lexer::{self, Lexeme, Token};
use crate::literal;
use crate::macros;
use crate::node::{Element, Entry, Kind, Literal, Node};
use faults::{OPERAND, OPERANDS};
use std::ops::Range;

/// Bytes; policies live in objects of at most 1.5 MiB, and a longer expression is no policy.
const MAX_BYTES: usize = 32 << 10;
/// Open brackets: each costs the parser a dozen frames.
const MAX_BRACKETS: usize = 100;
/// Levels of the tree: each costs the interpreter a few frames.
const MAX_LEVELS: usize = 512;

/// Words of the grammar that name no variable and no function.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

/// Whether `name` may name a variable: letters, digits and `_`, no digit first, no word of the grammar.
pub fn is_identifier(name: &str) -> bool {
    let word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let literal = matches!(name, "true" | "false" | "null" | "in");
    name.bytes().all(word)
        && name.bytes().next().is_some_and(|first| !first.is_ascii_digit())
        && !literal
        && !RESERVED.contains(&name)
}

/// What the environment's version adds to the grammar.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Syntax {
    /// `.?`, `[?`, optional elements, `optMap`.
    pub(crate) optional: bool,
    /// `all(k, v, …)` and the transformations.
    pub(crate) two_variables: bool,
    /// `sortBy` is a macro.
    pub(crate) sort_by: bool,
}

/// A parsed text.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) root: Node,
    /// Nodes made: ids are below it.
    pub(crate) nodes: u32,
}

/// Errors: the first of the text's.
pub(crate) fn parse(text: &str, syntax: Syntax) -> Result<Parsed, CompileError> {
    let fault = |at, message| CompileError::new(Stage::Syntax, text, at, message);
    if text.len() > MAX_BYTES {
        return Err(fault(0, format!("expression is over {} KiB", MAX_BYTES >> 10)));
    }
    let lexemes = lexer::lex(text).map_err(|unknown| {
        let told = format!("Syntax error: token recognition error at: '{}'", unknown.text);
        fault(unknown.at, told)
    })?;
    let mut parser = Parser { text, syntax, lexemes, next: 0, nodes: 0, brackets: 0 };
    let root = parser.expression()?;
    if parser.peek() != Token::End {
        return Err(parser.unexpected(&[Token::End], "<EOF>"));
    }
    Ok(Parsed { root, nodes: parser.nodes })
}

pub(crate) struct Parser<'t> {
    text: &'t str,
    pub(crate) syntax: Syntax,
    lexemes: Vec<Lexeme>,
    next: usize,
    nodes: u32,
    brackets: usize,
}

type Parse<T> = Result<T, CompileError>;

impl Parser<'_> {
    fn peek(&self) -> Token {
        self.lexemes[self.next].token
    }

    fn span(&self) -> Range<usize> {
        self.lexemes[self.next].span.clone()
    }

    fn take(&mut self) -> Range<usize> {
        let span = self.span();
        self.next = (self.next + 1).min(self.lexemes.len() - 1);
        span
    }

    fn accept(&mut self, token: Token) -> Option<Range<usize>> {
        (self.peek() == token).then(|| self.take())
    }

    pub(crate) fn fault(&self, at: usize, message: impl Into<String>) -> CompileError {
        CompileError::new(Stage::Syntax, self.text, at, message.into())
    }

    /// A node over `span` whose messages point at `at`.
    pub(crate) fn node(&mut self, at: usize, span: Range<usize>, kind: Kind) -> Parse<Node> {
        let mut node = Node { id: self.nodes, at, span, kind, levels: 1 };
        node.levels += node.children().iter().map(|child| child.levels).max().unwrap_or(0);
        if node.levels > MAX_LEVELS {
            return Err(self.fault(at, format!("expression is over {MAX_LEVELS} levels deep")));
        }
        self.nodes += 1;
        Ok(node)
    }

    pub(crate) fn call(
        &mut self,
        at: usize,
        span: Range<usize>,
        function: &str,
        arguments: Vec<Node>,
    ) -> Parse<Node> {
        let kind = Kind::Call { function: function.to_owned(), target: None, arguments };
        self.node(at, span, kind)
    }

    /// Runs `inner` one bracket deeper.
    fn bracket<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parse<T>) -> Parse<T> {
        self.brackets += 1;
        if self.brackets > MAX_BRACKETS {
            let told = format!("expression nests over {MAX_BRACKETS} brackets");
            return Err(self.fault(self.span().start, told));
        }
        let result = inner(self);
        self.brackets -= 1;
        result
    }

    /// `or ('?' or ':' expression)?`; the chain of `else` branches is a loop.
    fn expression(&mut self) -> Parse<Node> {
        let mut branches = Vec::new();
        let mut last = self.or()?;
        while let Some(mark) = self.accept(Token::Question) {
            let then = self.or()?;
            self.expect(Token::Colon, "':'")?;
            branches.push((mark.start, last, then));
            last = self.or()?;
        }
        for (at, condition, then) in branches.into_iter().rev() {
            let span = condition.span.start..last.span.end;
            last = self.node(at, span, Kind::Conditional(Box::new([condition, then, last])))?;
        }
        Ok(last)
    }

    fn or(&mut self) -> Parse<Node> {
        self.logical(Token::Or, Self::and, Kind::Or)
    }

    fn and(&mut self) -> Parse<Node> {
        self.logical(Token::And, Self::relation, Kind::And)
    }

    fn logical(
        &mut self,
        token: Token,
        term: fn(&mut Self) -> Parse<Node>,
        kind: fn(Vec<Node>) -> Kind,
    ) -> Parse<Node> {
        let first = term(self)?;
        if self.peek() != token {
            return Ok(first);
        }
        let (at, start) = (self.span().start, first.span.start);
        let mut terms = vec![first];
        while self.accept(token).is_some() {
            terms.push(term(self)?);
        }
        let end = terms.last().map_or(start, |term| term.span.end);
        self.node(at, start..end, kind(terms))
    }

    fn relation(&mut self) -> Parse<Node> {
        self.binary(Self::sum, |token| {
            Some(match token {
                Token::Less => "_<_",
                Token::LessEquals => "_<=_",
                Token::Greater => "_>_",
                Token::GreaterEquals => "_>=_",
                Token::Equals => "_==_",
                Token::NotEquals => "_!=_",
                Token::In => "@in",
                _ => return None,
            })
        })
    }

    fn sum(&mut self) -> Parse<Node> {
        self.binary(Self::product, |token| match token {
            Token::Plus => Some("_+_"),
            Token::Minus => Some("_-_"),
            _ => None,
        })
    }

    fn product(&mut self) -> Parse<Node> {
        self.binary(Self::unary, |token| match token {
            Token::Star => Some("_*_"),
            Token::Slash => Some("_/_"),
            Token::Percent => Some("_%_"),
            _ => None,
        })
    }

    /// Left-associative operators of one strength.
    fn binary(
        &mut self,
        operand: fn(&mut Self) -> Parse<Node>,
        function: fn(Token) -> Option<&'static str>,
    ) -> Parse<Node> {
        let mut left = operand(self)?;
        while let Some(function) = function(self.peek()) {
            let at = self.take().start;
            let right = operand(self)?;
            let span = left.span.start..right.span.end;
            left = self.call(at, span, function, vec![left, right])?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Parse<Node> {
        let (token, function) = match self.peek() {
            Token::Not => (Token::Not, "!_"),
            Token::Minus => (Token::Minus, "-_"),
            _ => return self.member(),
        };
        let at = self.span().start;
        let mut count = 0;
        while self.peek() == token {
            // `-1` is one literal, so that the smallest int can be written.
            let after = self.lexemes.get(self.next + 1).map(|lexeme| lexeme.token);
            if token == Token::Minus && matches!(after, Some(Token::Int | Token::Double)) {
                break;
            }
            self.take();
            count += 1;
        }
        let operand = self.member()?;
        if count % 2 == 0 {
            return Ok(operand);
        }
        let span = at..operand.span.end;
        self.call(at, span, function, vec![operand])
    }

    fn member(&mut self) -> Parse<Node> {
        let mut node = self.primary()?;
        loop {
            node = match self.peek() {
                Token::Dot => self.select(node)?,
                Token::OpenBracket => self.index(node)?,
                Token::OpenBrace if node.qualified().is_some() => self.message(node)?,
                _ => return Ok(node),
            };
        }
    }

    fn select(&mut self, operand: Node) -> Parse<Node> {
        let dot = self.take();
        let optional = self.accept(Token::Question).is_some();
        if optional && !self.syntax.optional {
            return Err(self.fault(dot.start, "unsupported syntax '.?'"));
        }
        let name = match self.peek() {
            Token::Identifier => self.take(),
            Token::Escaped => {
                return Err(self.fault(self.span().start, "unsupported syntax: '`'"));
            }
            _ => return Err(self.mismatched("IDENTIFIER")),
        };
        let field = self.text[name.clone()].to_owned();
        let start = operand.span.start;
        if !optional && self.peek() == Token::OpenParen {
            let at = self.span().start;
            let (arguments, end) = self.arguments()?;
            return macros::receiver(self, at, start..end, &field, operand, arguments);
        }
        let kind = Kind::Select { operand: Box::new(operand), field, optional };
        self.node(dot.start, start..name.end, kind)
    }

    fn index(&mut self, operand: Node) -> Parse<Node> {
        let open = self.take();
        let optional = self.accept(Token::Question).is_some();
        if optional && !self.syntax.optional {
            return Err(self.fault(open.start, "unsupported syntax '[?'"));
        }
        let index = self.bracket(Self::expression)?;
        let close = self.close(Token::CloseBracket, "']'")?;
        let span = operand.span.start..close.end;
        let kind = Kind::Index { operand: Box::new(operand), index: Box::new(index), optional };
        self.node(open.start, span, kind)
    }

    /// `Name{field: value, …}`
    fn message(&mut self, name: Node) -> Parse<Node> {
        let open = self.take();
        let mut fields = Vec::new();
        while self.peek() != Token::CloseBrace {
            self.accept(Token::Question);
            self.expect(Token::Identifier, "IDENTIFIER")?;
            self.expect(Token::Colon, "':'")?;
            fields.push(self.bracket(Self::expression)?);
            if self.accept(Token::Comma).is_none() {
                break;
            }
        }
        let close = self.expect(Token::CloseBrace, "'}'")?;
        let kind = Kind::Struct { name: name.qualified().unwrap_or_default(), fields };
        self.node(open.start, name.span.start..close.end, kind)
    }

    /// `(a, b)`, and the byte after it.
    fn arguments(&mut self) -> Parse<(Vec<Node>, usize)> {
        self.take();
        let mut arguments = Vec::new();
        if let Some(close) = self.accept(Token::CloseParen) {
            return Ok((arguments, close.end));
        }
        loop {
            arguments.push(self.bracket(Self::expression)?);
            if self.accept(Token::Comma).is_none() {
                return Ok((arguments, self.close(Token::CloseParen, "')'")?.end));
            }
        }
    }

    fn primary(&mut self) -> Parse<Node> {
        match self.peek() {
            Token::OpenParen => {
                let open = self.take();
                let mut inner = self.bracket(Self::expression)?;
                let close = self.close(Token::CloseParen, "')'")?;
                inner.span = open.start..close.end; // What stands around it must not lose half a bracket.
                Ok(inner)
            }
            Token::OpenBracket => self.list(),
            Token::OpenBrace => self.map(),
            Token::Dot | Token::Identifier => self.name(),
            _ => self.literal(),
        }
    }

    fn name(&mut self) -> Parse<Node> {
        let start = self.span().start;
        let dot = if self.accept(Token::Dot).is_some() { "." } else { "" };
        let word = self.expect(Token::Identifier, "IDENTIFIER")?;
        let name = &self.text[word.clone()];
        if RESERVED.contains(&name) {
            return Err(self.fault(start, format!("reserved identifier: {name}")));
        }
        let name = format!("{dot}{name}");
        if self.peek() != Token::OpenParen {
            return self.node(word.start, start..word.end, Kind::Ident(name));
        }
        let at = self.span().start;
        let (arguments, end) = self.arguments()?;
        macros::global(self, at, start..end, &name, arguments)
    }

    fn list(&mut self) -> Parse<Node> {
        let open = self.take();
        let mut elements = Vec::new();
        while !matches!(self.peek(), Token::CloseBracket | Token::Comma) {
            let optional = self.optional_mark()?;
            elements.push(Element { optional, value: self.bracket(Self::expression)? });
            if self.trailing_comma(Token::CloseBracket) || self.accept(Token::Comma).is_none() {
                break;
            }
        }
        self.accept(Token::Comma);
        let close = self.end(Token::CloseBracket, "{']', ','}")?;
        self.node(open.start, open.start..close.end, Kind::List(elements))
    }

    fn map(&mut self) -> Parse<Node> {
        let open = self.take();
        let mut entries = Vec::new();
        while !matches!(self.peek(), Token::CloseBrace | Token::Comma) {
            let optional = self.optional_mark()?;
            let key = self.bracket(Self::expression)?;
            self.expect(Token::Colon, "':'")?;
            entries.push(Entry { optional, key, value: self.bracket(Self::expression)? });
            if self.trailing_comma(Token::CloseBrace) || self.accept(Token::Comma).is_none() {
                break;
            }
        }
        self.accept(Token::Comma);
        let close = self.end(Token::CloseBrace, "{'}', ','}")?;
        self.node(open.start, open.start..close.end, Kind::Map(entries))
    }

    /// Whether a comma stands before `close`, which ends a literal.
    fn trailing_comma(&self, close: Token) -> bool {
        let after = self.lexemes.get(self.next + 1).map(|lexeme| lexeme.token);
        self.peek() == Token::Comma && after == Some(close)
    }

    fn optional_mark(&mut self) -> Parse<bool> {
        match self.accept(Token::Question) {
            Some(mark) if !self.syntax.optional => {
                Err(self.fault(mark.start, "unsupported syntax '?'"))
            }
            mark => Ok(mark.is_some()),
        }
    }

    fn literal(&mut self) -> Parse<Node> {
        let start = self.span().start;
        let negative = self.accept(Token::Minus).is_some();
        let token = self.peek();
        if negative && !matches!(token, Token::Int | Token::Double) {
            return Err(self.mismatched(OPERAND));
        }
        let word = &self.text[self.span()];
        let bad = |what: &str| self.fault(start, format!("invalid {what} literal"));
        let quoted = |error: &str| self.fault(start, error);
        let literal = match token {
            Token::Int => Literal::Int(literal::int(word, negative).ok_or_else(|| bad("int"))?),
            Token::Uint => Literal::Uint(literal::uint(word).ok_or_else(|| bad("uint"))?),
            Token::Double => {
                Literal::Double(literal::double(word, negative).ok_or_else(|| bad("double"))?)
            }
            Token::String => {
                let bytes = literal::unquote(word, false).map_err(quoted)?;
                Literal::String(String::from_utf8_lossy(&bytes).into_owned())
            }
            Token::Bytes => Literal::Bytes(literal::unquote(&word[1..], true).map_err(quoted)?),
            Token::True => Literal::Bool(true),
            Token::False => Literal::Bool(false),
            Token::Null => Literal::Null,
            _ => return Err(self.unexpected(&OPERANDS, OPERAND)),
        };
        let end = self.take().end;
        self.node(start, start..end, Kind::Literal(literal))
    }
}
