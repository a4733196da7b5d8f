//! Regular expressions as the API server takes them: Go's RE2 syntax, translated into that of crate `regex`.
//!
//! Both engines search the same way (leftmost, first alternative), so only the syntax differs: Go's `\d \w \s \b` are
//! ASCII, its classes know no sets within sets, `{` may stand for itself, `\Q…\E` and octal escapes exist, and
//! counted repetition ends at 1000. Errors are Go's. Source: Go's regexp/syntax of 1.26, package documentation.
mod class;
mod escape;
pub(super) mod functions;
mod translate;

pub(crate) use translate::translate;

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

/// Bytes of a compiled expression. Go allows about twelve times as much; a policy that needs more is refused.
const COMPILED_BYTES: usize = 10 << 20;
/// Groups within groups. Go allows 1000, the compiler here recurses.
const NESTING: u32 = 250;

/// Expressions that are computed, such as a parameter, are mostly the same at the next object: compiling one takes a
/// hundred times as long as using it. So many are kept in each thread, and of those alone that stay small.
const KEPT: usize = 64;
/// Bytes of one that is kept, and of what it remembers of texts.
const KEPT_BYTES: usize = 256 << 10;

thread_local! {
    static COMPILED: RefCell<HashMap<String, Rc<Regex>>> = RefCell::default();
}

/// A compiled expression. `matches`, `find` and `findAll` use it.
#[derive(Clone, Debug)]
pub struct Regex(::regex::Regex);

impl Regex {
    /// Error: Go's text (`error parsing regexp: …`), or that the expression is beyond our limits.
    pub fn new(pattern: &str) -> Result<Regex, String> {
        Self::within(pattern, COMPILED_BYTES)
    }

    /// The same, remembered where it is small.
    pub(crate) fn computed(pattern: &str) -> Result<Rc<Regex>, String> {
        let known = COMPILED.with_borrow(|compiled| compiled.get(pattern).cloned());
        if let Some(known) = known {
            return Ok(known);
        }
        let Ok(small) = Self::within(pattern, KEPT_BYTES).map(Rc::new) else {
            return Self::new(pattern).map(Rc::new);
        };
        COMPILED.with_borrow_mut(|compiled| {
            // Who computes a different one for each object starts over now and then.
            if compiled.len() >= KEPT {
                compiled.clear();
            }
            compiled.insert(pattern.to_owned(), small.clone());
        });
        Ok(small)
    }

    fn within(pattern: &str, bytes: usize) -> Result<Regex, String> {
        let translated =
            translate(pattern).map_err(|error| format!("error parsing regexp: {error}"))?;
        let compiled = ::regex::RegexBuilder::new(&translated)
            .size_limit(bytes)
            .dfa_size_limit(bytes)
            .nest_limit(NESTING)
            .build();
        match compiled {
            Ok(regex) => Ok(Regex(regex)),
            Err(::regex::Error::CompiledTooBig(_)) => {
                Err(format!("regular expression needs more than 10 MiB: `{pattern}`"))
            }
            Err(_) => Err(format!("regular expression is not supported here: `{pattern}`")),
        }
    }

    pub fn is_match(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// The leftmost match; empty where there is none.
    pub fn find<'t>(&self, text: &'t str) -> &'t str {
        self.0.find(text).map_or("", |found| found.as_str())
    }

    /// At most `count` matches that do not overlap; a negative count means all.
    pub fn find_all<'t>(&self, text: &'t str, count: i64) -> Vec<&'t str> {
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        self.0.find_iter(text).take(count).map(|found| found.as_str()).collect()
    }
}

#[cfg(test)]
mod tests;
