//! The order of statements: each stands behind those that bind what it needs.
//!
//! Source: OPA's `reorderBodyForSafety` and `outputVarsForExpr` (`v1/ast/compile.go`). The interpreter below does not
//! order the bodies of comprehensions, so a variable used before its generator fails there; here it is put behind it,
//! and what no order can bind is refused with its place, in OPA's words.
use crate::ast::{Body, Head, Literal, LiteralKind, Rule, Term, TermKind};
use crate::problem::{Problem, Span};
use std::collections::BTreeSet;

type Names = BTreeSet<String>;

/// Orders every body of a resolved rule.
pub(crate) fn order_rule(rule: &mut Rule, problems: &mut Vec<Problem>) {
    let mut bound = roots();
    for arg in rule.args.iter().flatten() {
        collect(arg, &mut bound);
    }
    let args = bound.clone();
    if let Some(body) = &mut rule.body {
        bound = order(body, &bound, problems);
    }
    for part in &mut rule.path {
        head(part, &bound, problems);
    }
    match &mut rule.head {
        Head::Value(Some(term)) | Head::Member(term) => head(term, &bound, problems),
        Head::Value(None) => {}
    }
    for branch in &mut rule.otherwise {
        let mut bound = args.clone();
        if let Some(body) = &mut branch.body {
            bound = order(body, &bound, problems);
        }
        if let Some(value) = &mut branch.value {
            head(value, &bound, problems);
        }
    }
}

fn roots() -> Names {
    ["input".to_owned(), "data".to_owned()].into()
}

/// A term of a head: all of it must be bound.
fn head(term: &mut Term, bound: &Names, problems: &mut Vec<Problem>) {
    let mut bound = bound.clone();
    outputs(term, &mut bound);
    unbound(term, &bound, problems);
    closures(term, &bound, problems);
}

/// Puts the statements in order and returns what is bound behind them.
fn order(body: &mut Body, before: &Names, problems: &mut Vec<Problem>) -> Names {
    let mut bound = before.clone();
    let mut here = Names::new();
    for literal in body.iter() {
        variables(literal, &mut here);
    }
    let mut waiting: Vec<Literal> = std::mem::take(body);
    loop {
        let mut left = Vec::new();
        let count = waiting.len();
        for mut literal in waiting {
            let Some(after) = ready(&literal, &bound, &here) else {
                left.push(literal);
                continue;
            };
            inside(&mut literal, &bound, problems);
            bound = after;
            body.push(literal);
        }
        if left.is_empty() {
            return bound;
        }
        if left.len() == count {
            for literal in &left {
                refuse(literal, &bound, &here, problems);
            }
            // Told once; what needs them is no problem of its own.
            bound.extend(here);
            body.extend(left);
            return bound;
        }
        waiting = left;
    }
}

/// What is bound behind the statement, if all it needs is bound.
fn ready(literal: &Literal, bound: &Names, here: &Names) -> Option<Names> {
    let mut captured = Names::new();
    for term in literal.terms() {
        free_in_closures(term, &mut captured);
    }
    if let LiteralKind::Every { key, value, body, .. } = &literal.kind {
        let mut inner = Names::new();
        free_in_body(body, &mut inner);
        captured
            .extend(inner.into_iter().filter(|name| name != value && Some(name) != key.as_ref()));
    }
    if captured.iter().any(|name| here.contains(name) && !bound.contains(name)) {
        return None;
    }
    let mut after = bound.clone();
    if !literal.negated {
        bind(literal, &mut after);
    }
    let mut needed = Names::new();
    variables(literal, &mut needed);
    needed.is_subset(&after).then_some(after)
}

fn bind(literal: &Literal, bound: &mut Names) {
    for with in &literal.with {
        outputs(&with.value, bound);
    }
    match &literal.kind {
        LiteralKind::Some(_) => {}
        LiteralKind::Term(term) => match &term.kind {
            TermKind::Call(name, args)
                if name.len() == 1 && matches!(&*name[0], "eq" | "assign") =>
            {
                if let [left, right] = &args[..] {
                    // Each round may make the other side known.
                    for _ in 0..2 {
                        unify(left, right, bound);
                    }
                }
            }
            TermKind::Call(name, args) if name[..] == ["walk"] && args.len() == 2 => {
                outputs(&args[0], bound);
                if known(&args[0], bound) {
                    pattern(&args[1], bound);
                }
            }
            _ => outputs(term, bound),
        },
        LiteralKind::SomeIn { key, value, domain } => {
            outputs(domain, bound);
            if known(domain, bound) {
                for pattern in key.iter().chain([value]) {
                    collect(pattern, bound);
                }
            }
        }
        LiteralKind::Every { domain, .. } => outputs(domain, bound),
    }
}

fn unify(left: &Term, right: &Term, bound: &mut Names) {
    match (&left.kind, &right.kind) {
        (TermKind::Array(left), TermKind::Array(right)) if left.len() == right.len() => {
            for _ in 0..2 {
                for (left, right) in left.iter().zip(right) {
                    unify(left, right, bound);
                }
            }
        }
        (TermKind::Object(left), TermKind::Object(right)) => {
            for (key, value) in left {
                let other = right.iter().find(|(other, _)| same(key, other));
                if let Some((_, other)) = other {
                    unify(value, other, bound);
                }
            }
        }
        _ => {
            outputs(left, bound);
            outputs(right, bound);
            if known(left, bound) {
                pattern(right, bound);
            } else if known(right, bound) {
                pattern(left, bound);
            }
        }
    }
}

fn same(left: &Term, right: &Term) -> bool {
    matches!((&left.kind, &right.kind), (TermKind::String(left), TermKind::String(right)) if left == right)
}

/// Binds the variables of a pattern that meets a known value.
fn pattern(term: &Term, bound: &mut Names) {
    match &term.kind {
        TermKind::Var(name) => {
            bound.insert(name.clone());
        }
        TermKind::Array(terms) => terms.iter().for_each(|term| pattern(term, bound)),
        TermKind::Object(pairs) => pairs.iter().for_each(|(_, value)| pattern(value, bound)),
        _ => {}
    }
}

/// Binds what references inside generate: `xs[i]` gives `i` once `xs` is known.
fn outputs(term: &Term, bound: &mut Names) {
    match &term.kind {
        TermKind::Ref(head, parts) => {
            outputs(head, bound);
            if !known(head, bound) {
                return;
            }
            for part in parts {
                outputs(part, bound);
                pattern(part, bound);
            }
        }
        _ => term.children().into_iter().for_each(|child| outputs(child, bound)),
    }
}

/// Every variable outside of closures is bound.
fn known(term: &Term, bound: &Names) -> bool {
    match &term.kind {
        TermKind::Var(name) => bound.contains(name),
        _ => term.children().into_iter().all(|child| known(child, bound)),
    }
}

/// Variables of a statement outside of nested bodies.
fn variables(literal: &Literal, names: &mut Names) {
    for term in literal.terms() {
        collect(term, names);
    }
}

fn collect(term: &Term, names: &mut Names) {
    match &term.kind {
        TermKind::Var(name) => {
            names.insert(name.clone());
        }
        _ => term.children().into_iter().for_each(|child| collect(child, names)),
    }
}

/// Variables of the comprehensions inside `term`, at any depth.
fn free_in_closures(term: &Term, names: &mut Names) {
    if let Some((heads, body)) = term.closure() {
        for head in heads {
            collect(head, names);
            free_in_closures(head, names);
        }
        free_in_body(body, names);
    }
    term.children().into_iter().for_each(|child| free_in_closures(child, names));
}

fn free_in_body(body: &[Literal], names: &mut Names) {
    for literal in body {
        variables(literal, names);
        for term in literal.terms() {
            free_in_closures(term, names);
        }
        if let LiteralKind::Every { body, .. } = &literal.kind {
            free_in_body(body, names);
        }
    }
}

/// Orders the bodies inside a statement.
fn inside(literal: &mut Literal, bound: &Names, problems: &mut Vec<Problem>) {
    for with in &mut literal.with {
        closures(&mut with.value, bound, problems);
    }
    match &mut literal.kind {
        LiteralKind::Some(_) => {}
        LiteralKind::Term(term) => closures(term, bound, problems),
        LiteralKind::SomeIn { key, value, domain } => {
            for term in key.iter_mut().chain([value, domain]) {
                closures(term, bound, problems);
            }
        }
        LiteralKind::Every { key, value, domain, body } => {
            closures(domain, bound, problems);
            let mut inner = bound.clone();
            inner.extend(key.iter().chain([&*value]).cloned());
            order(body, &inner, problems);
        }
    }
}

fn closures(term: &mut Term, bound: &Names, problems: &mut Vec<Problem>) {
    match &mut term.kind {
        TermKind::ArrayComprehension(value, body) | TermKind::SetComprehension(value, body) => {
            let inner = order(body, bound, problems);
            head(value, &inner, problems);
        }
        TermKind::ObjectComprehension(pair, body) => {
            let inner = order(body, bound, problems);
            head(&mut pair.0, &inner, problems);
            head(&mut pair.1, &inner, problems);
        }
        TermKind::Ref(value, parts) => {
            closures(value, bound, problems);
            parts.iter_mut().for_each(|part| closures(part, bound, problems));
        }
        TermKind::Call(_, terms) | TermKind::Array(terms) | TermKind::Set(terms) => {
            terms.iter_mut().for_each(|term| closures(term, bound, problems));
        }
        TermKind::Object(pairs) => {
            for (key, value) in pairs {
                closures(key, bound, problems);
                closures(value, bound, problems);
            }
        }
        _ => {}
    }
}

/// Tells which variables of a statement nothing binds.
fn refuse(literal: &Literal, bound: &Names, here: &Names, problems: &mut Vec<Problem>) {
    let mut after = bound.clone();
    if !literal.negated {
        bind(literal, &mut after);
    }
    let told = problems.len();
    for term in literal.terms() {
        unbound(term, &after, problems);
    }
    if problems.len() > told {
        return;
    }
    let mut captured = Names::new();
    for term in literal.terms() {
        free_in_closures(term, &mut captured);
    }
    if let LiteralKind::Every { body, .. } = &literal.kind {
        free_in_body(body, &mut captured);
    }
    for name in captured.iter().filter(|name| here.contains(*name) && !bound.contains(*name)) {
        unsafe_variable(name, &literal.span, problems);
    }
}

fn unbound(term: &Term, bound: &Names, problems: &mut Vec<Problem>) {
    match &term.kind {
        TermKind::Var(name) if !bound.contains(name) => unsafe_variable(name, &term.span, problems),
        _ => term.children().into_iter().for_each(|child| unbound(child, bound, problems)),
    }
}

fn unsafe_variable(name: &str, span: &Span, problems: &mut Vec<Problem>) {
    let written = match name.strip_prefix('$') {
        Some(_) => "_",
        None => name.rsplit_once("__").map_or(name, |(written, _)| written),
    };
    let problem = Problem::new(span.clone(), format!("var {written} is unsafe"));
    if !problems.contains(&problem) {
        problems.push(problem);
    }
}
