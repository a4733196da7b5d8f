//! A resolved module → text that the interpreter reads as OPA would have read the user's.
//!
//! One spelling for everything: v1, a body on every rule, `:= true` where no value stands, statements between `;`,
//! each on the line on which the user wrote it. Chained bodies, facts, a line break before `(` and v0 itself thereby
//! never reach the interpreter, which reads them differently.
use crate::ast::{Body, Head, Literal, LiteralKind, Module, Rule, Term, TermKind};
use crate::parse::LATER_KEYWORDS;
use crate::problem::Span;

/// Text for the interpreter, and where each of its statements came from.
#[derive(Debug)]
pub(crate) struct Printed {
    pub(crate) text: String,
    marks: Vec<Mark>,
}

#[derive(Debug)]
struct Mark {
    line: u32,
    /// In bytes.
    column: u32,
    span: Span,
}

impl Printed {
    /// The user's bytes behind a 1-based place of the printed text: those of the statement it is in.
    pub(crate) fn source(&self, line: u32, column: u32) -> Span {
        let before = |mark: &&Mark| (mark.line, mark.column) <= (line, column);
        self.marks.iter().rev().find(before).map_or(0..0, |mark| mark.span.clone())
    }
}

const RESERVED: &[&str] =
    &["as", "default", "else", "false", "import", "package", "not", "null", "true", "with", "some"];

/// Prints `module`, written as `text`.
pub(crate) fn print(module: &Module, text: &str) -> Printed {
    let breaks = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    let mut printer = Printer {
        starts: std::iter::once(0).chain(breaks.map(|(at, _)| at + 1)).collect(),
        package: &module.package,
        out: String::new(),
        line: 1,
        begin: 0,
        marks: Vec::new(),
    };
    printer.out.push_str("package ");
    printer.path(&module.package);
    for rule in &module.rules {
        printer.rule(rule);
    }
    printer.out.push('\n');
    Printed { text: printer.out, marks: printer.marks }
}

struct Printer<'a> {
    /// Bytes at which the user's lines begin.
    starts: Vec<usize>,
    package: &'a [String],
    out: String,
    line: u32,
    /// Byte of `out` at which its line begins.
    begin: usize,
    marks: Vec<Mark>,
}

impl Printer<'_> {
    /// Goes on to the user's line of `span`; a line break may stand here.
    fn advance(&mut self, span: &Span) {
        let line = self.starts.partition_point(|start| *start <= span.start);
        while (self.line as usize) < line {
            self.out.push('\n');
            self.line += 1;
            self.begin = self.out.len();
        }
        let column = u32::try_from(self.out.len() - self.begin + 1).unwrap_or(u32::MAX);
        self.marks.push(Mark { line: self.line, column, span: span.clone() });
    }

    fn rule(&mut self, rule: &Rule) {
        self.out.push('\n');
        self.line += 1;
        self.begin = self.out.len();
        self.advance(&rule.span);
        if rule.default {
            self.out.push_str("default ");
        }
        self.out.push_str(&variable(&rule.name));
        for part in &rule.path {
            self.part(part);
        }
        if let Some(args) = &rule.args {
            self.list("(", args, ")");
        }
        match &rule.head {
            Head::Member(key) => {
                self.out.push_str(" contains ");
                self.term(key);
            }
            Head::Value(value) => self.value(value.as_ref()),
        }
        if rule.default {
            return;
        }
        self.rule_body(rule.body.as_ref());
        for branch in &rule.otherwise {
            self.out.push_str(" else");
            self.value(branch.value.as_ref());
            self.rule_body(branch.body.as_ref());
        }
    }

    fn value(&mut self, value: Option<&Term>) {
        self.out.push_str(" := ");
        match value {
            Some(value) => self.term(value),
            None => self.out.push_str("true"),
        }
    }

    fn rule_body(&mut self, body: Option<&Body>) {
        self.out.push_str(" if {");
        match body {
            Some(body) => self.body(body),
            None => self.out.push_str(" true"),
        }
        self.out.push_str(" }");
    }

    fn body(&mut self, body: &Body) {
        for (index, literal) in body.iter().enumerate() {
            self.out.push_str(if index == 0 { " " } else { "; " });
            self.advance(&literal.span);
            self.literal(literal);
        }
    }

    fn literal(&mut self, literal: &Literal) {
        if literal.negated {
            self.out.push_str("not ");
        }
        match &literal.kind {
            LiteralKind::Term(term) => self.statement(term),
            LiteralKind::Some(names) => {
                let names: Vec<String> = names.iter().map(|name| variable(name)).collect();
                self.out.push_str(&format!("some {}", names.join(", ")));
            }
            LiteralKind::SomeIn { key, value, domain } => {
                self.out.push_str("some ");
                if let Some(key) = key {
                    self.term(key);
                    self.out.push_str(", ");
                }
                self.term(value);
                self.out.push_str(" in ");
                self.term(domain);
            }
            LiteralKind::Every { key, value, domain, body } => {
                self.out.push_str("every ");
                if let Some(key) = key {
                    self.out.push_str(&variable(key));
                    self.out.push_str(", ");
                }
                self.out.push_str(&variable(value));
                self.out.push_str(" in ");
                self.term(domain);
                self.out.push_str(" {");
                self.body(body);
                self.out.push_str(" }");
            }
        }
        for with in &literal.with {
            self.out.push_str(" with ");
            self.path(&with.target);
            self.out.push_str(" as ");
            self.term(&with.value);
        }
    }

    /// A statement's own operator needs no brackets.
    fn statement(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Call(name, args) if name.len() == 1 => match (&*name[0], &args[..]) {
                ("eq", [left, right]) => self.binary(left, "=", right),
                ("assign", [left, right]) => self.binary(left, ":=", right),
                (operator, [left, right]) if mark(operator).is_some() => {
                    self.binary(left, mark(operator).unwrap_or_default(), right);
                }
                _ => self.term(term),
            },
            _ => self.term(term),
        }
    }

    fn binary(&mut self, left: &Term, mark: &str, right: &Term) {
        self.term(left);
        self.out.push_str(&format!(" {mark} "));
        self.term(right);
    }

    fn term(&mut self, term: &Term) {
        match &term.kind {
            TermKind::Null => self.out.push_str("null"),
            TermKind::Bool(value) => self.out.push_str(if *value { "true" } else { "false" }),
            TermKind::Number(number) => self.out.push_str(number),
            TermKind::String(text) => self.string(text),
            TermKind::Var(name) => self.out.push_str(&variable(name)),
            TermKind::Ref(head, parts) => self.reference(head, parts),
            TermKind::Call(name, args) => self.call(name, args),
            TermKind::Array(terms) => self.list("[", terms, "]"),
            TermKind::Set(terms) if terms.is_empty() => self.out.push_str("set()"),
            TermKind::Set(terms) => self.list("{", terms, "}"),
            TermKind::Object(pairs) => {
                self.out.push('{');
                for (index, (key, value)) in pairs.iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.pair(key, value);
                }
                self.out.push('}');
            }
            TermKind::ArrayComprehension(head, body) => {
                self.out.push('[');
                self.term(head);
                self.comprehension(body);
                self.out.push_str(" ]");
            }
            TermKind::SetComprehension(head, body) => {
                self.out.push('{');
                self.term(head);
                self.comprehension(body);
                self.out.push_str(" }");
            }
            TermKind::ObjectComprehension(pair, body) => {
                self.out.push('{');
                self.pair(&pair.0, &pair.1);
                self.comprehension(body);
                self.out.push_str(" }");
            }
        }
    }

    fn comprehension(&mut self, body: &Body) {
        self.out.push_str(" |");
        self.body(body);
    }

    fn pair(&mut self, key: &Term, value: &Term) {
        self.term(key);
        self.out.push_str(": ");
        self.term(value);
    }

    fn list(&mut self, open: &str, terms: &[Term], close: &str) {
        self.out.push_str(open);
        for (index, term) in terms.iter().enumerate() {
            if index > 0 {
                self.out.push_str(", ");
            }
            self.term(term);
        }
        self.out.push_str(close);
    }

    fn call(&mut self, name: &[String], args: &[Term]) {
        if let (1, [first, rest @ ..]) = (name.len(), args) {
            let mark = mark(&name[0]);
            match (&*name[0], rest) {
                ("internal.member_3", [value, domain]) => {
                    self.out.push('(');
                    self.pair_in(first, value, domain);
                    return;
                }
                (_, [second]) if mark.is_some() => {
                    self.out.push('(');
                    self.chain(&name[0], first);
                    self.out.push_str(&format!(" {} ", mark.unwrap_or_default()));
                    self.term(second);
                    self.out.push(')');
                    return;
                }
                _ => {}
            }
        }
        match name {
            // The interpreter's operators fail where OPA's are undefined.
            [operator] if matches!(&**operator, "div" | "rem") => {
                self.out.push_str(&format!("seawall_{operator}"))
            }
            _ => self.path(name),
        }
        self.list("(", args, ")");
    }

    /// The left of an operator: a chain of one operator needs no brackets, of which the interpreter bears thirty.
    fn chain(&mut self, operator: &str, left: &Term) {
        match &left.kind {
            TermKind::Call(name, args)
                if name.len() == 1 && name[0] == operator && args.len() == 2 =>
            {
                self.chain(operator, &args[0]);
                self.out.push_str(&format!(" {} ", mark(operator).unwrap_or_default()));
                self.term(&args[1]);
            }
            _ => self.term(left),
        }
    }

    fn pair_in(&mut self, key: &Term, value: &Term, domain: &Term) {
        self.term(key);
        self.out.push_str(", ");
        self.binary(value, "in", domain);
        self.out.push(')');
    }

    fn reference(&mut self, head: &Term, parts: &[Term]) {
        let own = match &head.kind {
            TermKind::Var(root) if root == "data" => self.own(parts),
            _ => None,
        };
        let parts = match own {
            Some(name) => {
                self.out.push_str(&variable(&name));
                &parts[self.package.len() + 1..]
            }
            None => {
                self.term(head);
                parts
            }
        };
        for part in parts {
            self.part(part);
        }
    }

    /// The rule of this package that the path names first.
    fn own(&self, parts: &[Term]) -> Option<String> {
        let text = |part: &Term| match &part.kind {
            TermKind::String(text) => Some(text.clone()),
            _ => None,
        };
        let package = parts.iter().take(self.package.len()).map(text);
        if !package.eq(self.package.iter().cloned().map(Some)) {
            return None;
        }
        text(parts.get(self.package.len())?)
    }

    fn part(&mut self, part: &Term) {
        match &part.kind {
            TermKind::String(text) => self.dot(text),
            _ => {
                self.out.push('[');
                self.term(part);
                self.out.push(']');
            }
        }
    }

    fn dot(&mut self, name: &str) {
        let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && !name.is_empty();
        if plain && !RESERVED.contains(&name) && !LATER_KEYWORDS.contains(&name) {
            self.out.push('.');
            self.out.push_str(name);
        } else {
            self.out.push('[');
            self.string(name);
            self.out.push(']');
        }
    }

    fn path(&mut self, path: &[String]) {
        let data = path[0] == "data" && path[1..].starts_with(self.package);
        let path = if data && path.len() == self.package.len() + 2 {
            &path[path.len() - 1..]
        } else {
            path
        };
        self.out.push_str(&path[0]);
        for name in &path[1..] {
            self.dot(name);
        }
    }

    fn string(&mut self, text: &str) {
        self.out.push_str(&serde_json::Value::from(text).to_string());
    }
}

fn mark(operator: &str) -> Option<&'static str> {
    Some(match operator {
        "equal" => "==",
        "neq" => "!=",
        "lt" => "<",
        "gt" => ">",
        "lte" => "<=",
        "gte" => ">=",
        "or" => "|",
        "and" => "&",
        "plus" => "+",
        "minus" => "-",
        "mul" => "*",
        "internal.member_2" => "in",
        _ => return None,
    })
}

/// A variable as the interpreter may read it: wildcards are `_`, keywords of v1 get a tail.
fn variable(name: &str) -> String {
    if name.starts_with('$') {
        return "_".to_owned();
    }
    if LATER_KEYWORDS.contains(&name) { format!("{name}__") } else { name.to_owned() }
}
