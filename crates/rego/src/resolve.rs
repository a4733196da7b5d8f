//! Names → what they mean: after this a variable is local to its rule, everything else is a path below `data`.
//!
//! Source: OPA's compiler stages ResolveRefs and RewriteLocalVars. Variables declared in nested bodies get names of
//! their own, `_` becomes `$1`, `$2`, …, `print` goes, and an output argument (`f(x, y)` for `y = f(x)`) becomes `=`.
use crate::ast::{Body, Head, Import, Literal, LiteralKind, Rule, Term, TermKind};
use crate::builtin::table;
use crate::problem::{Problem, Span};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Path of a rule below `data` → arguments of a function, `None` for a rule.
pub(crate) type Rules = BTreeMap<Vec<String>, Option<usize>>;

pub(crate) struct Resolver<'a> {
    /// Of the module.
    pub(crate) package: &'a [String],
    pub(crate) imports: &'a [Import],
    /// Of every module.
    pub(crate) rules: &'a Rules,
    pub(crate) problems: Vec<Problem>,
    /// Deprecated functions are none.
    strict: bool,
    scopes: Vec<Scope>,
    fresh: usize,
}

#[derive(Default)]
struct Scope {
    /// Name as written → name from here on.
    declared: HashMap<String, String>,
    /// Names used as variables before any declaration.
    used: HashSet<String>,
}

impl<'a> Resolver<'a> {
    pub(crate) fn new(
        package: &'a [String],
        imports: &'a [Import],
        rules: &'a Rules,
        strict: bool,
    ) -> Self {
        Self { package, imports, rules, problems: Vec::new(), strict, scopes: Vec::new(), fresh: 0 }
    }

    pub(crate) fn rule(&mut self, rule: &mut Rule) {
        self.fresh = 0;
        self.scopes.push(Scope::default());
        for arg in rule.args.iter_mut().flatten() {
            self.declare_pattern(arg, false);
        }
        let args: HashSet<String> = self.scopes[0].declared.keys().cloned().collect();
        if let Some(body) = &mut rule.body {
            self.statements(body);
        }
        match &mut rule.head {
            Head::Value(Some(term)) | Head::Member(term) => self.term(term),
            Head::Value(None) => {}
        }
        for part in &mut rule.path {
            self.term(part);
        }
        for branch in &mut rule.otherwise {
            self.scopes[0].declared.retain(|name, _| args.contains(name));
            self.scopes[0].used.clear();
            if let Some(body) = &mut branch.body {
                self.statements(body);
            }
            if let Some(value) = &mut branch.value {
                self.term(value);
            }
        }
        self.scopes.clear();
    }

    /// A nested body with names of its own, and what its head needs.
    fn nested(&mut self, body: &mut Body, names: &mut [&mut String], heads: &mut [&mut Term]) {
        self.scopes.push(Scope::default());
        for name in names {
            let span = body.first().map_or(0..0, |literal| literal.span.clone());
            **name = self.declare(name, &span);
        }
        self.statements(body);
        for head in heads {
            self.term(head);
        }
        self.scopes.pop();
    }

    fn statements(&mut self, body: &mut Body) {
        for literal in body.iter_mut() {
            self.literal(literal);
        }
        let printing = |literal: &Literal| match &literal.kind {
            LiteralKind::Term(term) => term.is_call("print"),
            _ => false,
        };
        // OPA erases these calls unless printing is on, so their operands may even be undefined.
        for literal in body.iter_mut().filter(|literal| printing(literal)) {
            let span = literal.span.clone();
            let kind = LiteralKind::Term(Term::new(TermKind::Bool(true), span.clone()));
            *literal = Literal { negated: false, kind, with: Vec::new(), span };
        }
    }

    fn literal(&mut self, literal: &mut Literal) {
        for with in &mut literal.with {
            self.term(&mut with.value);
            with.target = self.path(&with.target);
            if !self.is_replaceable(&with.target) {
                let message =
                    format!("`with` replaces nothing by the name of `{}`", with.target.join("."));
                self.problems.push(Problem::new(literal.span.clone(), message));
            }
        }
        match &mut literal.kind {
            LiteralKind::Term(term) => self.statement(term, literal.negated),
            LiteralKind::Some(names) => {
                for name in names {
                    *name = self.declare(name, &literal.span);
                }
            }
            LiteralKind::SomeIn { key, value, domain } => {
                self.term(domain);
                for pattern in key.iter_mut().chain([value]) {
                    self.declare_pattern(pattern, false);
                }
            }
            LiteralKind::Every { key, value, domain, body } => {
                self.term(domain);
                let mut names: Vec<&mut String> = key.iter_mut().chain([value]).collect();
                self.nested(body, &mut names, &mut []);
            }
        }
    }

    fn statement(&mut self, term: &mut Term, negated: bool) {
        let TermKind::Call(name, args) = &mut term.kind else { return self.term(term) };
        if name.len() == 1 && name[0] == "assign" {
            if negated {
                let span = term.span.clone();
                self.problems.push(Problem::new(span, "cannot assign in a negated expression"));
                return;
            }
            let [left, right] = &mut args[..] else { return };
            self.term(right);
            self.declare_pattern(left, true);
            walk_into(term);
            return;
        }
        if name[..] == ["eq"] && args.len() == 2 && args[1].is_call("walk") {
            args.iter_mut().for_each(|arg| self.term(arg));
            walk_into(term);
            return;
        }
        let walk = name[..] == ["walk"];
        let output = self.call(name, args, &term.span, true);
        if let Some(output) = output {
            // The interpreter iterates over what is walked only where it sees the output as an argument.
            if walk {
                args.push(output);
                return;
            }
            let call = Term { kind: term.kind.clone(), span: term.span.clone() };
            *term = Term::call("eq", vec![output, call], term.span.clone());
        }
    }

    fn term(&mut self, term: &mut Term) {
        match &mut term.kind {
            TermKind::Var(name) if name == "_" => {
                self.fresh += 1;
                *name = format!("${}", self.fresh);
            }
            TermKind::Var(name) => match self.lookup(name) {
                Found::Local(local) => *name = local,
                Found::Path(path) => term.kind = reference(&path, Vec::new(), &term.span),
            },
            TermKind::Ref(head, parts) => {
                for part in parts.iter_mut() {
                    self.term(part);
                }
                self.term(head);
                // A path's own parts come first.
                if let TermKind::Ref(root, before) = &mut head.kind {
                    before.append(parts);
                    term.kind = TermKind::Ref(root.clone(), std::mem::take(before));
                }
            }
            TermKind::Call(name, args) => {
                let mut name = std::mem::take(name);
                let mut args = std::mem::take(args);
                self.call(&mut name, &mut args, &term.span, false);
                term.kind = TermKind::Call(name, args);
            }
            TermKind::Array(terms) | TermKind::Set(terms) => {
                for term in terms {
                    self.term(term);
                }
            }
            TermKind::Object(pairs) => {
                for (key, value) in pairs {
                    self.term(key);
                    self.term(value);
                }
            }
            TermKind::ArrayComprehension(head, body) | TermKind::SetComprehension(head, body) => {
                self.nested(body, &mut [], &mut [head]);
            }
            TermKind::ObjectComprehension(pair, body) => {
                let (key, value) = &mut **pair;
                self.nested(body, &mut [], &mut [key, value]);
            }
            TermKind::Null | TermKind::Bool(_) | TermKind::Number(_) | TermKind::String(_) => {}
        }
    }

    /// Finds what is called and checks its arguments. Returns the output argument where `statement` permits one.
    fn call(
        &mut self,
        name: &mut Vec<String>,
        args: &mut Vec<Term>,
        span: &Span,
        statement: bool,
    ) -> Option<Term> {
        for arg in args.iter_mut() {
            self.term(arg);
        }
        let path = self.path(name);
        let expected = match self.function(&path) {
            Ok(expected) => {
                *name = if path[0] == "data" { path } else { name.clone() };
                expected
            }
            Err(message) => {
                self.problems.push(Problem::new(span.clone(), message));
                return None;
            }
        };
        let expected = expected?;
        if statement && args.len() == expected + 1 {
            return args.pop();
        }
        if args.len() != expected {
            let message = format!(
                "`{}` takes {expected} arguments, here are {}",
                table::shown(name),
                args.len()
            );
            self.problems.push(Problem::new(span.clone(), message));
        }
        None
    }

    /// Arguments of the function at a path, `None` where any number may stand; why there is none.
    fn function(&self, path: &[String]) -> Result<Option<usize>, String> {
        if path[0] == "data" {
            return match self.rules.get(&path[1..]) {
                Some(Some(args)) => Ok(Some(*args)),
                Some(None) => Err(format!("`{}` is no function", path.join("."))),
                None => Err(format!("undefined function `{}`", path.join("."))),
            };
        }
        let name = path.join(".");
        match table::find(&name) {
            Some(builtin) => match builtin.refused {
                None if name == "print" => Ok(None),
                None if self.strict && table::DEPRECATED.contains(&&*name) => {
                    Err(format!("function `{name}` is deprecated and none of v1"))
                }
                None => Ok(Some(builtin.args)),
                Some(why) => Err(format!("function `{name}` is not available: {why}")),
            },
            None => Err(format!("undefined function `{name}`")),
        }
    }

    /// What `with` may replace: input, inventory, rules, functions. The interpreter finds out only when it gets there.
    fn is_replaceable(&self, path: &[String]) -> bool {
        match (path[0].as_str(), path.get(1).map(String::as_str)) {
            ("input", _) | ("data", Some("inventory")) => true,
            ("data", _) => {
                let next = self.rules.range(path[1..].to_vec()..).next();
                next.is_some_and(|(rule, _)| rule.starts_with(&path[1..]))
            }
            _ => self.function(path).is_ok(),
        }
    }

    /// A dotted name as a path: below `data` for rules and imports, as written for built-ins and `input`.
    fn path(&mut self, name: &[String]) -> Vec<String> {
        if let Some(import) = self.imports.iter().find(|import| import.alias == name[0]) {
            return import.path.iter().chain(&name[1..]).cloned().collect();
        }
        let own: Vec<String> = self.package.iter().chain(name).cloned().collect();
        if self.rules.contains_key(&own) {
            return std::iter::once("data".to_owned()).chain(own).collect();
        }
        name.to_vec()
    }

    fn lookup(&mut self, name: &str) -> Found {
        for scope in self.scopes.iter().rev() {
            if let Some(local) = scope.declared.get(name) {
                return Found::Local(local.clone());
            }
        }
        if name == "input" || name == "data" {
            return Found::Local(name.to_owned());
        }
        if let Some(import) = self.imports.iter().find(|import| import.alias == name) {
            return Found::Path(import.path.clone());
        }
        if self.is_rule(name) {
            let root = ["data".to_owned()];
            return Found::Path(
                root.iter().chain(self.package).cloned().chain([name.to_owned()]).collect(),
            );
        }
        if let Some(scope) = self.scopes.last_mut() {
            scope.used.insert(name.to_owned());
        }
        Found::Local(name.to_owned())
    }

    /// The package has a rule of that first name.
    fn is_rule(&self, name: &str) -> bool {
        let own: Vec<String> = self.package.iter().cloned().chain([name.to_owned()]).collect();
        self.rules.range(own.clone()..).next().is_some_and(|(path, _)| path.starts_with(&own))
    }

    fn declare(&mut self, name: &str, span: &Span) -> String {
        if name == "_" {
            self.fresh += 1;
            return format!("${}", self.fresh);
        }
        let nested = self.scopes.len() > 1;
        let Some(scope) = self.scopes.last_mut() else { return name.to_owned() };
        if scope.declared.contains_key(name) {
            self.problems.push(Problem::new(span.clone(), format!("var {name} declared above")));
        } else if scope.used.contains(name) {
            self.problems.push(Problem::new(span.clone(), format!("var {name} referenced above")));
        }
        let mut local = name.to_owned();
        if nested {
            self.fresh += 1;
            local = format!("{name}__{}", self.fresh);
        }
        scope.declared.insert(name.to_owned(), local.clone());
        local
    }

    /// Declares the variables of an argument or of the left of `:=`.
    fn declare_pattern(&mut self, pattern: &mut Term, assigned: bool) {
        let span = pattern.span.clone();
        match &mut pattern.kind {
            TermKind::Var(name) => *name = self.declare(name, &span),
            TermKind::Array(terms) => {
                for term in terms {
                    self.declare_pattern(term, assigned);
                }
            }
            TermKind::Object(pairs) => {
                for (key, value) in pairs {
                    self.term(key);
                    self.declare_pattern(value, assigned);
                }
            }
            TermKind::Ref(..) | TermKind::Call(..) if assigned => {
                self.problems.push(Problem::new(span, "cannot assign to this"));
            }
            _ => self.term(pattern),
        }
    }
}

/// `y = walk(x)` as `walk(x, y)`.
fn walk_into(term: &mut Term) {
    let TermKind::Call(_, args) = &term.kind else { return };
    if let [output, Term { kind: TermKind::Call(name, walked), .. }] = &args[..]
        && name[..] == ["walk"]
    {
        let args = walked.iter().chain([output]).cloned().collect();
        term.kind = TermKind::Call(name.clone(), args);
    }
}

enum Found {
    Local(String),
    Path(Vec<String>),
}

/// `data.a.b` as a term, and what follows.
fn reference(path: &[String], parts: Vec<Term>, span: &Span) -> TermKind {
    let head = Term::var(&path[0], span.clone());
    let named =
        path[1..].iter().map(|name| Term::new(TermKind::String(name.clone()), span.clone()));
    TermKind::Ref(Box::new(head), named.chain(parts).collect())
}
