//! Tokens → module, by OPA's grammar of v0 and v1.
//!
//! Source: OPA's `v1/ast/parser.go`. Kept are its rules of white space: a call's `(` and a reference's `[` and `.`
//! touch what stands before them, and statements of a body end at `;` or at a line break.
mod rule;
mod term;

use crate::ast::{Body, Import, Literal, LiteralKind, Module, TermKind, With};
use crate::lex::{self, Kind, Token};
use crate::problem::{Problem, Span};

/// Which Rego a text is in: Gatekeeper's `version: v0|v1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    V0,
    V1,
}

/// Nested terms and bodies. The interpreter itself stops at [`crate::print::MAX_DEPTH`].
const MAX_DEPTH: u32 = 64;

/// Failed readings of one module. Sound text has one per set of statements behind `if {`, at most.
const MAX_ATTEMPTS: u32 = 10_000;

/// Statements of one body. Putting them in order takes their number to the third; templates of use have under 60.
const MAX_STATEMENTS: usize = 256;
/// Rules of one module.
const MAX_RULES: usize = 1024;

const KEYWORDS: &[&str] =
    &["as", "default", "else", "false", "import", "package", "not", "null", "true", "with", "some"];
/// Keywords only in v1, or once imported.
pub(crate) const LATER_KEYWORDS: &[&str] = &["in", "every", "contains", "if"];

type Parsed<T> = Result<T, Problem>;

/// Reads one module.
pub(crate) fn parse(text: &str, version: Version) -> Parsed<Module> {
    let tokens = lex::tokens(text)?;
    let mut parser = Parser {
        tokens,
        at: 0,
        keywords: Vec::new(),
        strict: version == Version::V1,
        depth: 0,
        attempts: MAX_ATTEMPTS,
    };
    if parser.strict {
        parser.keywords.extend(LATER_KEYWORDS);
    }
    parser.module()
}

struct Parser<'a> {
    tokens: Vec<Token<'a>>,
    at: usize,
    /// Those of [`LATER_KEYWORDS`] that are keywords here.
    keywords: Vec<&'static str>,
    /// v1, or `import rego.v1`: bodies need `if`, sets need `contains`.
    strict: bool,
    depth: u32,
    /// Readings that may still be given up for another; without a bound nested ones double the work.
    attempts: u32,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Token<'a> {
        self.tokens[self.at]
    }

    fn ahead(&self) -> Token<'a> {
        self.tokens[(self.at + 1).min(self.tokens.len() - 1)]
    }

    fn next(&mut self) -> Token<'a> {
        let token = self.peek();
        self.at = (self.at + 1).min(self.tokens.len() - 1);
        token
    }

    /// Bytes from `start` to the end of the last token taken.
    fn since(&self, start: usize) -> Span {
        start..self.tokens[self.at.saturating_sub(1)].end().max(start)
    }

    fn illegal<T>(&self, expected: &str) -> Parsed<T> {
        let token = self.peek();
        let found = match token.kind {
            Kind::End => "end of text".to_owned(),
            _ => format!("`{}`", token.text),
        };
        Err(Problem::new(token.span(), format!("unexpected {found}: {expected} expected")))
    }

    fn eat(&mut self, mark: &str) -> bool {
        let found = self.peek().is(mark);
        if found {
            self.next();
        }
        found
    }

    fn expect(&mut self, mark: &str) -> Parsed<()> {
        if self.eat(mark) { Ok(()) } else { self.illegal(&format!("`{mark}`")) }
    }

    fn is_keyword(&self, name: &str) -> bool {
        KEYWORDS.contains(&name) || self.keywords.contains(&name)
    }

    /// The next token is that keyword, and no reference begins with it as in `if.x`.
    fn at_keyword(&self, word: &str) -> bool {
        let (token, after) = (self.peek(), self.ahead());
        token.kind == Kind::Name
            && token.text == word
            && self.is_keyword(word)
            && (after.spaced || !(after.is(".") || after.is("[")))
    }

    fn eat_keyword(&mut self, word: &str) -> bool {
        let found = self.at_keyword(word);
        if found {
            self.next();
        }
        found
    }

    /// Runs `parse` one level deeper.
    fn deeper<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        if self.depth >= MAX_DEPTH {
            let span = self.peek().span();
            return Err(Problem::new(span, format!("nested over {MAX_DEPTH} levels deep")));
        }
        self.depth += 1;
        let result = parse(self);
        self.depth -= 1;
        result
    }

    /// Tries `parse`; on failure nothing was taken.
    fn attempt<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        let (at, depth) = (self.at, self.depth);
        if self.attempts == 0 {
            return Err(Problem::new(self.peek().span(), "too many ways to read this"));
        }
        let result = parse(self);
        if result.is_err() {
            self.attempts = self.attempts.saturating_sub(1);
            (self.at, self.depth) = (at, depth);
        }
        result
    }

    fn module(&mut self) -> Parsed<Module> {
        if !self.at_keyword("package") {
            return self.illegal("`package`");
        }
        self.next();
        let start = self.peek().start;
        let Some(package) = self.deeper(Self::term)?.dotted() else {
            return Err(Problem::new(self.since(start), "a package is names and dots"));
        };
        let package_span = self.since(start);
        let (mut imports, mut rules) = (Vec::new(), Vec::new());
        loop {
            if self.peek().kind == Kind::End {
                let strict = self.strict;
                return Ok(Module { package, package_span, imports, rules, strict });
            }
            if self.eat(";") {
                continue;
            }
            if self.at_keyword("import") {
                imports.extend(self.import()?);
                continue;
            }
            rules.extend(self.rules()?);
            if rules.len() > MAX_RULES {
                let message = format!("over {MAX_RULES} rules");
                return Err(Problem::new(self.peek().span(), message));
            }
        }
    }

    /// `None` for those that only choose keywords.
    fn import(&mut self) -> Parsed<Option<Import>> {
        let start = self.next().start;
        let mut path = vec![self.name("a path")?];
        while !self.peek().spaced {
            if self.eat(".") {
                path.push(self.any_name()?);
            } else if self.peek().is("[") && self.ahead().kind == Kind::String {
                self.next();
                path.push(self.string()?);
                self.expect("]")?;
            } else {
                break;
            }
        }
        let alias = if self.eat_keyword("as") { Some(self.name("a name")?) } else { None };
        let span = self.since(start);
        match (path[0].as_str(), &path[1..]) {
            ("future", [keywords]) if keywords == "keywords" => {
                self.keywords.extend(LATER_KEYWORDS);
                Ok(None)
            }
            ("future", [keywords, word]) if keywords == "keywords" => {
                match LATER_KEYWORDS.iter().find(|later| *later == word) {
                    Some(word) => {
                        self.keywords.push(word);
                        // As in OPA: `every` needs `in`.
                        if *word == "every" {
                            self.keywords.push("in");
                        }
                        Ok(None)
                    }
                    None => Err(Problem::new(span, format!("keyword `{word}` is not supported"))),
                }
            }
            ("rego", [version]) if version == "v1" => {
                self.keywords.extend(LATER_KEYWORDS);
                self.strict = true;
                Ok(Some(Import { path, alias: String::new(), span }))
            }
            ("data" | "input", rest) => {
                let alias = match (alias, rest.last()) {
                    (Some(alias), _) => alias,
                    (None, Some(last)) => last.clone(),
                    (None, None) => path[0].clone(),
                };
                Ok(Some(Import { path, alias, span }))
            }
            _ => Err(Problem::new(span, "an import begins with `data`, `future` or `rego`")),
        }
    }

    /// A name that is no keyword.
    fn name(&mut self, expected: &str) -> Parsed<String> {
        let token = self.peek();
        if token.kind != Kind::Name || self.is_keyword(token.text) {
            return self.illegal(expected);
        }
        Ok(self.next().text.to_owned())
    }

    /// A name after a dot, where keywords are names too.
    fn any_name(&mut self) -> Parsed<String> {
        if self.peek().kind != Kind::Name {
            return self.illegal("a name");
        }
        Ok(self.next().text.to_owned())
    }

    fn string(&mut self) -> Parsed<String> {
        let token = self.next();
        if token.kind == Kind::Raw {
            return Ok(token.text[1..token.text.len() - 1].to_owned());
        }
        serde_json::from_str(token.text)
            .map_err(|_| Problem::new(token.span(), "string has an illegal escape or character"))
    }

    /// The statements up to and with `close`.
    fn body(&mut self, close: &str) -> Parsed<Body> {
        self.deeper(|this| {
            if this.peek().is(close) {
                return this.illegal("a statement");
            }
            let mut body = Vec::new();
            loop {
                if body.len() == MAX_STATEMENTS {
                    let message = format!("over {MAX_STATEMENTS} statements in one body");
                    return Err(Problem::new(this.peek().span(), message));
                }
                body.push(this.literal()?);
                if this.eat(";") {
                    continue;
                }
                if this.eat(close) {
                    return Ok(body);
                }
                if !this.peek().broken {
                    return this.illegal(&format!("a line break, `;` or `{close}`"));
                }
            }
        })
    }

    fn literal(&mut self) -> Parsed<Literal> {
        let start = self.peek().start;
        let negated = self.eat_keyword("not");
        let quantified = self.at_keyword("some") || self.at_keyword("every");
        if negated && quantified {
            return self.illegal("an expression");
        }
        let kind = if self.eat_keyword("some") {
            self.some()?
        } else if self.eat_keyword("every") {
            self.every()?
        } else {
            LiteralKind::Term(self.expression()?)
        };
        let mut with = Vec::new();
        while self.at_keyword("with") {
            self.next();
            let target = self.term()?;
            let Some(target) = target.dotted() else {
                return Err(Problem::new(target.span, "`with` replaces a path"));
            };
            if !self.eat_keyword("as") {
                return self.illegal("`as`");
            }
            let value = self.infix(true)?;
            with.push(With { target, value });
        }
        Ok(Literal { negated, kind, with, span: self.since(start) })
    }

    fn some(&mut self) -> Parsed<LiteralKind> {
        let domain = self.attempt(|this| {
            let term = this.infix(true)?;
            match term.kind {
                TermKind::Call(name, args) if name[0].starts_with("internal.member_") => Ok(args),
                _ => Err(Problem::new(term.span, "`in` expected")),
            }
        });
        if let Ok(mut args) = domain {
            let (Some(domain), Some(value)) = (args.pop(), args.pop()) else {
                return self.illegal("`x in xs`");
            };
            return Ok(LiteralKind::SomeIn { key: args.pop(), value, domain });
        }
        let mut names = vec![self.name("a variable")?];
        while self.eat(",") {
            names.push(self.name("a variable")?);
        }
        Ok(LiteralKind::Some(names))
    }

    fn every(&mut self) -> Parsed<LiteralKind> {
        let mut value = self.name("a variable")?;
        let mut key = None;
        if self.eat(",") {
            key = Some(std::mem::replace(&mut value, self.name("a variable")?));
        }
        if !self.eat_keyword("in") {
            return self.illegal("`in`");
        }
        let domain = self.infix(true)?;
        self.expect("{")?;
        let body = self.body("}")?;
        Ok(LiteralKind::Every { key, value, domain, body })
    }
}
