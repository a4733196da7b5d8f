//! Patterns with stars, as users write them for names.

/// Whether `name` fits `pattern`, in which `*` stands for any text. Leftmost finds of each part suffice, so that the
/// time is linear in the name for every star.
pub fn fits(pattern: &str, name: &str) -> bool {
    let mut parts = pattern.split('*').peekable();
    let Some(mut rest) = name.strip_prefix(parts.next().unwrap_or_default()) else { return false };
    if parts.peek().is_none() {
        return rest.is_empty();
    }
    while let Some(part) = parts.next() {
        if parts.peek().is_none() {
            return rest.ends_with(part);
        }
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    true
}

#[test]
fn stars_stand_for_any_text() {
    #[track_caller]
    fn check(pattern: &str, fitting: &[&str], others: &[&str]) {
        for (names, expected) in [(fitting, true), (others, false)] {
            for name in names {
                assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
            }
        }
    }
    check("shop", &["shop"], &["shops", "a-shop", ""]);
    check("*", &["", "shop"], &[]);
    check("shop-*", &["shop-", "shop-a"], &["shop", "a-shop-a"]);
    check("*-prod", &["a-prod", "-prod"], &["prod", "a-prod-b"]);
    check("a*b*c", &["abc", "a1b2c", "abbc", "abcbc"], &["ac", "abcd", "xabc"]);
    check("a*a", &["aa", "aba"], &["a"]);
    check("**", &["", "x"], &[]);
    check("", &[""], &["x"]);
}
