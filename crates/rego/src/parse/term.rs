//! Terms and operators.
use super::{Parsed, Parser};
use crate::ast::{Body, Term, TermKind};
use crate::lex::Kind;
use crate::problem::Problem;

/// Operators from the loosest to the tightest: mark and OPA's name of the call.
const LEVELS: &[&[(&str, &str)]] = &[
    &[("==", "equal"), ("!=", "neq"), ("<", "lt"), (">", "gt"), ("<=", "lte"), (">=", "gte")],
    &[("|", "or")],
    &[("&", "and")],
    &[("+", "plus"), ("-", "minus")],
    &[("*", "mul"), ("/", "div"), ("%", "rem")],
];

impl Parser<'_> {
    /// `t`, `t = u` or `t := u`.
    pub(super) fn expression(&mut self) -> Parsed<Term> {
        let start = self.peek().start;
        let left = self.infix(true)?;
        let name = match self.peek() {
            token if token.is("=") => "eq",
            token if token.is(":=") => "assign",
            _ => return Ok(left),
        };
        self.next();
        let right = self.infix(true)?;
        Ok(Term::call(name, vec![left, right], self.since(start)))
    }

    /// A term with operators. `pairs`: `k, v in xs` may stand here, as it may not between commas.
    pub(super) fn infix(&mut self, pairs: bool) -> Parsed<Term> {
        self.infix_from(None, pairs)
    }

    /// The same, its first term taken already.
    fn infix_from(&mut self, first: Option<Term>, pairs: bool) -> Parsed<Term> {
        self.deeper(|this| {
            let start = first.as_ref().map_or(this.peek().start, |first| first.span.start);
            let mut left = this.level(0, first)?;
            if pairs && this.peek().is(",") && this.is_keyword("in") {
                let pair = this.attempt(|this| {
                    this.next();
                    let value = this.level(0, None)?;
                    if !this.eat_keyword("in") {
                        return this.illegal("`in`");
                    }
                    Ok((value, this.level(0, None)?))
                });
                if let Ok((value, domain)) = pair {
                    let args = vec![left, value, domain];
                    left = Term::call("internal.member_3", args, this.since(start));
                }
            }
            while this.eat_keyword("in") {
                let domain = this.level(0, None)?;
                left = Term::call("internal.member_2", vec![left, domain], this.since(start));
            }
            Ok(left)
        })
    }

    fn level(&mut self, level: usize, first: Option<Term>) -> Parsed<Term> {
        let Some(operators) = LEVELS.get(level) else {
            return first.map_or_else(|| self.term(), Ok);
        };
        let start = first.as_ref().map_or(self.peek().start, |first| first.span.start);
        let mut left = self.level(level + 1, first)?;
        loop {
            let token = self.peek();
            let Some((_, name)) = operators.iter().find(|(mark, _)| token.is(mark)) else {
                return Ok(left);
            };
            self.next();
            let right = self.level(level + 1, None)?;
            left = Term::call(name, vec![left, right], self.since(start));
        }
    }

    /// One term without operators around it.
    pub(super) fn term(&mut self) -> Parsed<Term> {
        self.deeper(|this| {
            let start = this.peek().start;
            if this.peek().is("-") {
                return this.minus();
            }
            let head = this.primary()?;
            this.finish(head, start)
        })
    }

    /// `-1` is a number, `-x` is `0 - x`.
    fn minus(&mut self) -> Parsed<Term> {
        let start = self.next().start;
        let token = self.peek();
        match token.kind {
            Kind::Number => {
                let number = self.number()?;
                Ok(Term::new(TermKind::Number(format!("-{number}")), self.since(start)))
            }
            Kind::Name => {
                let zero = Term::new(TermKind::Number("0".to_owned()), start..start + 1);
                let term = self.term()?;
                Ok(Term::call("minus", vec![zero, term], self.since(start)))
            }
            _ => self.illegal("a number"),
        }
    }

    fn number(&mut self) -> Parsed<String> {
        let token = self.next();
        let zero = token.text.len() > 1 && token.text.as_bytes()[1].is_ascii_digit();
        if zero && token.text.starts_with('0') {
            return Err(Problem::new(token.span(), "number with a leading zero"));
        }
        // Beyond these no double has a value; OPA stops at 2^100000.
        if token.text.parse::<f64>().is_ok_and(f64::is_finite) {
            return Ok(token.text.to_owned());
        }
        Err(Problem::new(token.span(), "number too big"))
    }

    fn primary(&mut self) -> Parsed<Term> {
        let token = self.peek();
        let start = token.start;
        let kind = match token.kind {
            Kind::Number => TermKind::Number(self.number()?),
            Kind::String | Kind::Raw => TermKind::String(self.string()?),
            Kind::Name => return self.word(),
            Kind::Mark if token.is("[") => return self.array(),
            Kind::Mark if token.is("{") => return self.braces(),
            Kind::Mark if token.is("(") => {
                self.next();
                let inner = self.infix(true)?;
                self.expect(")")?;
                return Ok(Term { span: self.since(start), ..inner });
            }
            _ => return self.illegal("a term"),
        };
        Ok(Term::new(kind, self.since(start)))
    }

    fn word(&mut self) -> Parsed<Term> {
        let token = self.peek();
        let kind = match token.text {
            "null" if self.at_keyword("null") => TermKind::Null,
            "true" if self.at_keyword("true") => TermKind::Bool(true),
            "false" if self.at_keyword("false") => TermKind::Bool(false),
            // Outside of rule heads `contains` is a built-in's name.
            word if word != "contains" && self.at_keyword(word) => return self.illegal("a term"),
            word => TermKind::Var(word.to_owned()),
        };
        self.next();
        Ok(Term::new(kind, token.span()))
    }

    /// The calls, dots and brackets that touch `head`.
    pub(super) fn finish(&mut self, head: Term, start: usize) -> Parsed<Term> {
        let mut term = head;
        loop {
            let token = self.peek();
            if token.spaced || !(token.is(".") || token.is("[") || token.is("(")) {
                return Ok(term);
            }
            self.next();
            if token.is("(") {
                let Some(name) = term.dotted() else {
                    return Err(Problem::new(term.span, "only a name can be called"));
                };
                let args = self.list(")")?;
                let kind = match args.is_empty() && name == ["set"] {
                    true => TermKind::Set(args),
                    false => TermKind::Call(name, args),
                };
                term = Term::new(kind, self.since(start));
                continue;
            }
            let part = if token.is(".") {
                let span = self.peek().span();
                Term::new(TermKind::String(self.any_name()?), span)
            } else {
                let part = self.infix(true)?;
                self.expect("]")?;
                part
            };
            term = match term.kind {
                TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::String(_) => {
                    return Err(Problem::new(term.span, "a scalar has no parts"));
                }
                TermKind::Ref(head, mut parts) => {
                    parts.push(part);
                    Term::new(TermKind::Ref(head, parts), self.since(start))
                }
                _ => Term::new(TermKind::Ref(Box::new(term), vec![part]), self.since(start)),
            };
        }
    }

    /// Terms up to and with `close`; a comma may close the list. `first` is taken already.
    fn list_from(&mut self, first: Option<Term>, close: &str) -> Parsed<Vec<Term>> {
        let mut terms = Vec::new();
        let mut first = first;
        while first.is_some() || !self.eat(close) {
            terms.push(self.infix_from(first.take(), false)?);
            if !self.eat(",") && !self.peek().is(close) {
                return self.illegal(&format!("`,` or `{close}`"));
            }
        }
        Ok(terms)
    }

    pub(super) fn list(&mut self, close: &str) -> Parsed<Vec<Term>> {
        self.list_from(None, close)
    }

    /// `| body close` behind a comprehension's head; what was wrong with it, if it is none.
    fn comprehension(&mut self, close: &str) -> Result<Body, Option<Problem>> {
        if !self.peek().is("|") {
            return Err(None);
        }
        self.attempt(|this| {
            this.next();
            this.body(close)
        })
        .map_err(Some)
    }

    fn array(&mut self) -> Parsed<Term> {
        let start = self.next().start;
        if self.peek().is("]") || self.eat(",") {
            let terms = self.list("]")?;
            return Ok(Term::new(TermKind::Array(terms), self.since(start)));
        }
        let head = self.term()?;
        let refused = match self.comprehension("]") {
            Ok(body) => {
                let kind = TermKind::ArrayComprehension(Box::new(head), body);
                return Ok(Term::new(kind, self.since(start)));
            }
            Err(refused) => refused,
        };
        let terms = self.list_from(Some(head), "]").map_err(|problem| further(problem, refused))?;
        Ok(Term::new(TermKind::Array(terms), self.since(start)))
    }

    fn braces(&mut self) -> Parsed<Term> {
        let start = self.next().start;
        if self.eat("}") {
            return Ok(Term::new(TermKind::Object(Vec::new()), self.since(start)));
        }
        self.eat(",");
        let head = self.term()?;
        let refused = match self.comprehension("}") {
            Ok(body) => {
                let kind = TermKind::SetComprehension(Box::new(head), body);
                return Ok(Term::new(kind, self.since(start)));
            }
            Err(refused) => refused,
        };
        self.set_or_object(head, start).map_err(|problem| further(problem, refused))
    }

    fn set_or_object(&mut self, head: Term, start: usize) -> Parsed<Term> {
        let first = self.infix_from(Some(head), false)?;
        if self.eat(":") {
            return self.object(first, start);
        }
        let mut terms = vec![first];
        if self.eat(",") {
            terms.extend(self.list("}")?);
        } else {
            self.expect("}")?;
        }
        Ok(Term::new(TermKind::Set(terms), self.since(start)))
    }

    /// From behind the colon of the first key.
    fn object(&mut self, first: Term, start: usize) -> Parsed<Term> {
        let head = self.term()?;
        let mut refused = None;
        match self.comprehension("}") {
            Ok(body) => {
                let kind = TermKind::ObjectComprehension(Box::new((first, head)), body);
                return Ok(Term::new(kind, self.since(start)));
            }
            Err(problem) => refused = problem.or(refused),
        }
        let pairs = self.pairs(first, head).map_err(|problem| further(problem, refused))?;
        Ok(Term::new(TermKind::Object(pairs), self.since(start)))
    }

    fn pairs(&mut self, first: Term, head: Term) -> Parsed<Vec<(Term, Term)>> {
        let mut pairs = vec![(first, self.infix_from(Some(head), false)?)];
        loop {
            let more = self.eat(",");
            if self.eat("}") {
                return Ok(pairs);
            }
            if !more {
                return self.illegal("`,` or `}`");
            }
            let key = self.infix(false)?;
            self.expect(":")?;
            pairs.push((key, self.infix(false)?));
        }
    }
}

/// Of two readings that failed, the one that came further tells what is wrong.
fn further(problem: Problem, other: Option<Problem>) -> Problem {
    match other {
        Some(other) if other.span.start >= problem.span.start => other,
        _ => problem,
    }
}
