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

/// Bytes of a compiled expression. Go allows about twelve times as much; a policy that needs more is refused.
const COMPILED_BYTES: usize = 10 << 20;
/// Groups within groups. Go allows 1000, the compiler here recurses.
const NESTING: u32 = 250;

/// A compiled expression. `matches`, `find` and `findAll` use it.
#[derive(Clone, Debug)]
pub struct Regex(::regex::Regex);

impl Regex {
    /// Error: Go's text (`error parsing regexp: …`), or that the expression is beyond our limits.
    pub fn new(pattern: &str) -> Result<Regex, String> {
        let translated =
            translate(pattern).map_err(|error| format!("error parsing regexp: {error}"))?;
        let compiled = ::regex::RegexBuilder::new(&translated)
            .size_limit(COMPILED_BYTES)
            .dfa_size_limit(COMPILED_BYTES)
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
