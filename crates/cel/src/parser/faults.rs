//! What is told of text that does not parse, in ANTLR's words.
use super::{Parse, Parser};
use crate::error::CompileError;
use crate::lexer::Token;
use std::ops::Range;

/// What ANTLR expects where an operand must stand.
pub(super) const OPERAND: &str = "{'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, \
    STRING, BYTES, IDENTIFIER}";

/// The tokens of [`OPERAND`].
pub(super) const OPERANDS: [Token; 15] = [
    Token::OpenBracket,
    Token::OpenBrace,
    Token::OpenParen,
    Token::Dot,
    Token::Minus,
    Token::Not,
    Token::True,
    Token::False,
    Token::Null,
    Token::Double,
    Token::Int,
    Token::Uint,
    Token::String,
    Token::Bytes,
    Token::Identifier,
];

impl Parser<'_> {
    pub(super) fn expect(&mut self, token: Token, told: &str) -> Parse<Range<usize>> {
        self.accept(token).ok_or_else(|| self.unexpected(&[token], told))
    }

    /// ANTLR calls a token extraneous where the one after it would do.
    pub(super) fn unexpected(&self, wanted: &[Token], told: &str) -> CompileError {
        let after = self.lexemes.get(self.next + 1).map(|lexeme| lexeme.token);
        match after {
            Some(after) if wanted.contains(&after) => self.extraneous(told),
            _ => self.mismatched(told),
        }
    }

    /// What closes a bracket that only holds expressions; ANTLR tells its absence at the end apart.
    pub(super) fn close(&mut self, token: Token, told: &str) -> Parse<Range<usize>> {
        self.accept(token).ok_or_else(|| match self.peek() {
            Token::End => {
                let told = format!("Syntax error: missing {told} at '<EOF>'");
                self.fault(self.span().start, told)
            }
            _ => self.unexpected(&[token], told),
        })
    }

    /// What ends a literal's elements, where a comma could stand as well.
    pub(super) fn end(&mut self, token: Token, told: &str) -> Parse<Range<usize>> {
        self.accept(token).ok_or_else(|| self.unexpected(&[token, Token::Comma], told))
    }

    pub(super) fn here(&self) -> &str {
        match self.peek() {
            Token::End => "<EOF>",
            _ => &self.text[self.span()],
        }
    }

    pub(super) fn mismatched(&self, expected: &str) -> CompileError {
        let told = format!("Syntax error: mismatched input '{}' expecting {expected}", self.here());
        self.fault(self.span().start, told)
    }

    pub(super) fn extraneous(&self, expected: &str) -> CompileError {
        let told = format!("Syntax error: extraneous input '{}' expecting {expected}", self.here());
        self.fault(self.span().start, told)
    }
}
