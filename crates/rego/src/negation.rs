//! What OPA computes before a negation is computed before it here too.
//!
//! `not f(x.gone)` holds in the interpreter below, since all of the negated is undefined. In OPA the operand is a
//! statement of its own before it, so an undefined one ends the body. Source: OPA's compiler stages RewriteExprTerms
//! (calls inside of calls), then RewriteEquals and RewriteDynamicTerms (references inside of calls, not those that
//! `=` and `==` compare).
use crate::ast::{Body, Literal, LiteralKind, Rule, Term, TermKind, With};

/// Takes calls out of negated statements. To be done before statements are ordered, as OPA does.
pub(crate) fn expand_calls(rule: &mut Rule) {
    Taker { stage: Stage::Calls, fresh: 0 }.rule(rule);
}

/// Takes references out of negated statements. To be done after.
pub(crate) fn expand_references(rule: &mut Rule) {
    Taker { stage: Stage::References, fresh: 0 }.rule(rule);
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Calls,
    References,
}

struct Taker {
    stage: Stage,
    fresh: usize,
}

impl Taker {
    fn rule(&mut self, rule: &mut Rule) {
        match &mut rule.head {
            crate::ast::Head::Value(Some(term)) | crate::ast::Head::Member(term) => {
                self.within(term)
            }
            crate::ast::Head::Value(None) => {}
        }
        if let Some(body) = &mut rule.body {
            self.body(body);
        }
        for branch in &mut rule.otherwise {
            if let Some(value) = &mut branch.value {
                self.within(value);
            }
            if let Some(body) = &mut branch.body {
                self.body(body);
            }
        }
    }

    fn body(&mut self, body: &mut Body) {
        for mut literal in std::mem::take(body) {
            for with in &mut literal.with {
                self.within(&mut with.value);
            }
            match &mut literal.kind {
                LiteralKind::Some(_) => {}
                LiteralKind::SomeIn { key, value, domain } => {
                    for term in key.iter_mut().chain([value, domain]) {
                        self.within(term);
                    }
                }
                LiteralKind::Every { domain, body, .. } => {
                    self.within(domain);
                    self.body(body);
                }
                LiteralKind::Term(term) => {
                    self.within(term);
                    if literal.negated {
                        let mut taken = Taken { with: &literal.with, literals: Vec::new() };
                        self.statement(term, &mut taken);
                        body.append(&mut taken.literals);
                    }
                }
            }
            body.push(literal);
        }
    }

    /// The bodies of comprehensions inside `term`.
    fn within(&mut self, term: &mut Term) {
        match &mut term.kind {
            TermKind::ArrayComprehension(head, body) | TermKind::SetComprehension(head, body) => {
                self.within(head);
                self.body(body);
            }
            TermKind::ObjectComprehension(pair, body) => {
                self.within(&mut pair.0);
                self.within(&mut pair.1);
                self.body(body);
            }
            _ => children(term).into_iter().for_each(|child| self.within(child)),
        }
    }

    /// A negated statement: its own call stays, what is inside goes.
    fn statement(&mut self, term: &mut Term, taken: &mut Taken<'_>) {
        match &mut term.kind {
            TermKind::Call(name, args) => {
                let compares = name.len() == 1 && matches!(&*name[0], "eq" | "equal");
                for arg in args {
                    if compares {
                        self.compared(arg, taken);
                    } else {
                        self.operand(arg, taken);
                    }
                }
            }
            _ => self.compared(term, taken),
        }
    }

    /// A reference that stays, whose parts go.
    fn compared(&mut self, term: &mut Term, taken: &mut Taken<'_>) {
        match &mut term.kind {
            TermKind::Ref(head, parts) => {
                if matches!(head.kind, TermKind::Call(..)) {
                    self.operand(head, taken);
                }
                parts.iter_mut().for_each(|part| self.operand(part, taken));
            }
            _ => self.operand(term, taken),
        }
    }

    fn operand(&mut self, term: &mut Term, taken: &mut Taken<'_>) {
        match &mut term.kind {
            TermKind::Ref(..) => {
                self.compared(term, taken);
                if self.stage == Stage::References {
                    self.take(term, taken);
                }
            }
            TermKind::Call(_, args) => {
                args.iter_mut().for_each(|arg| self.operand(arg, taken));
                self.take(term, taken);
            }
            TermKind::Array(_) | TermKind::Set(_) | TermKind::Object(_) => {
                children(term).into_iter().for_each(|child| self.operand(child, taken));
            }
            _ => {}
        }
    }

    fn take(&mut self, term: &mut Term, taken: &mut Taken<'_>) {
        self.fresh += 1;
        let span = term.span.clone();
        let letter = if self.stage == Stage::Calls { 'c' } else { 'r' };
        let name = format!("n__{letter}{}", self.fresh);
        let value = std::mem::replace(term, Term::var(&name, span.clone()));
        let kind = LiteralKind::Term(Term::call(
            "eq",
            vec![Term::var(&name, span.clone()), value],
            span.clone(),
        ));
        taken.literals.push(Literal { negated: false, kind, with: taken.with.to_vec(), span });
    }
}

struct Taken<'a> {
    with: &'a [With],
    literals: Vec<Literal>,
}

fn children(term: &mut Term) -> Vec<&mut Term> {
    match &mut term.kind {
        TermKind::Ref(head, parts) => std::iter::once(&mut **head).chain(parts).collect(),
        TermKind::Call(_, terms) | TermKind::Array(terms) | TermKind::Set(terms) => {
            terms.iter_mut().collect()
        }
        TermKind::Object(pairs) => pairs.iter_mut().flat_map(|(key, value)| [key, value]).collect(),
        _ => Vec::new(),
    }
}
