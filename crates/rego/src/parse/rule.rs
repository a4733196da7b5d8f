//! Rules and facts.
use super::{Parsed, Parser};
use crate::ast::{Body, Else, Head, Rule, Term, TermKind};
use crate::lex::Kind;
use crate::problem::Problem;

impl Parser<'_> {
    /// One rule; more where bodies follow each other (`p { a } { b }`).
    pub(super) fn rules(&mut self) -> Parsed<Vec<Rule>> {
        let start = self.peek().start;
        let default = self.eat_keyword("default");
        let mut rule = self.head(default, start)?;
        if default {
            let Head::Value(Some(_)) = rule.head else { return self.illegal("a value") };
            return Ok(vec![rule]);
        }
        let conditional = self.eat_keyword("if");
        self.settle(&mut rule, conditional)?;
        let braces = self.peek().is("{");
        if !conditional && !braces {
            return self.fact(rule);
        }
        if self.strict && !conditional {
            return self.illegal("`if` before a body");
        }
        rule.body = Some(if conditional { self.conditional_body()? } else { self.braced()? });
        while self.at_keyword("else") {
            if matches!(rule.head, Head::Member(_)) {
                return self.illegal("a rule with one value before `else`");
            }
            let branch = self.otherwise()?;
            rule.otherwise.push(branch);
        }
        rule.span = self.since(start);
        let mut rules = vec![rule];
        while self.peek().is("{") && rules[0].otherwise.is_empty() {
            let start = self.peek().start;
            let body = Some(self.braced()?);
            rules.push(Rule { body, span: self.since(start), ..rules[0].clone() });
        }
        Ok(rules)
    }

    fn braced(&mut self) -> Parsed<Body> {
        self.expect("{")?;
        self.body("}")
    }

    /// What follows `if`: statements in braces, or one statement.
    fn conditional_body(&mut self) -> Parsed<Body> {
        if !self.peek().is("{") {
            return Ok(vec![self.literal()?]);
        }
        match self.attempt(Self::braced) {
            Ok(body) => Ok(body),
            // `if {x: y} == z` begins with a brace too.
            Err(problem) => {
                self.attempt(Self::literal).map(|literal| vec![literal]).map_err(|_| problem)
            }
        }
    }

    fn fact(&mut self, mut rule: Rule) -> Parsed<Vec<Rule>> {
        let bare = matches!(rule.head, Head::Value(None));
        if bare {
            return self.illegal("a rule's value or body");
        }
        rule.span = self.since(rule.span.start);
        Ok(vec![rule])
    }

    fn otherwise(&mut self) -> Parsed<Else> {
        self.next();
        let value = if self.eat(":=") || self.eat("=") { Some(self.infix(true)?) } else { None };
        let body = if self.eat_keyword("if") {
            Some(self.conditional_body()?)
        } else if self.peek().is("{") {
            if self.strict {
                return self.illegal("`if` before a body");
            }
            Some(self.braced()?)
        } else if value.is_none() {
            return self.illegal("a value or a body");
        } else {
            None
        };
        Ok(Else { value, body })
    }

    fn head(&mut self, default: bool, start: usize) -> Parsed<Rule> {
        let token = self.peek();
        let keyword = token.kind == Kind::Name && self.at_keyword(token.text);
        if token.kind != Kind::Name || keyword {
            return self.illegal("a rule");
        }
        let name = self.next().text.to_owned();
        let (mut path, mut args) = (Vec::new(), None);
        loop {
            let token = self.peek();
            // Behind the name alone space may stand: `f (x) = y`.
            if token.broken || (token.spaced && !path.is_empty()) {
                break;
            }
            if token.is(".") && !token.spaced {
                self.next();
                let span = self.peek().span();
                path.push(Term::new(TermKind::String(self.any_name()?), span));
            } else if token.is("[") {
                self.next();
                path.push(self.infix(true)?);
                self.expect("]")?;
            } else if token.is("(") {
                self.next();
                args = Some(self.list(")")?);
                break;
            } else {
                break;
            }
        }
        let mut head = Head::Value(None);
        if !default && args.is_none() && self.eat_keyword("contains") {
            head = Head::Member(self.infix(true)?);
        } else if self.eat("=") || self.eat(":=") {
            head = Head::Value(Some(self.infix(true)?));
        }
        let span = self.since(start);
        Ok(Rule { default, name, path, args, head, body: None, otherwise: Vec::new(), span })
    }

    /// In v0 `p[x] { … }` is a set; with `if`, or with a value, an object.
    fn settle(&mut self, rule: &mut Rule, conditional: bool) -> Parsed<()> {
        let bare = matches!(rule.head, Head::Value(None)) && rule.args.is_none();
        if !bare || conditional || rule.path.len() != 1 {
            return Ok(());
        }
        if self.strict {
            let message = "a set is written with `contains`";
            return Err(Problem::new(rule.span.clone(), message));
        }
        if let Some(key) = rule.path.pop() {
            rule.head = Head::Member(key);
        }
        Ok(())
    }
}
