//! `Link` headers. Source: RFC 8288, section 3; OCI distribution specification, "Listing Tags".

/// The target of the first link whose relation is `next`, as it stands there.
pub fn next(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, behind)) = rest.split_once('<') {
        let (target, behind) = behind.split_once('>')?;
        let (parameters, others) = parameters(behind);
        if parameters.split(';').any(is_next) {
            return Some(target);
        }
        rest = others;
    }
    None
}

/// Up to the comma that ends the link; one within quotes does not.
fn parameters(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (at, character) in text.char_indices() {
        match character {
            '"' => quoted = !quoted,
            ',' if !quoted => return (&text[..at], &text[at + 1..]),
            _ => {}
        }
    }
    (text, "")
}

fn is_next(parameter: &str) -> bool {
    let Some((name, value)) = parameter.split_once('=') else { return false };
    let mut relations = value.trim().trim_matches('"').split_ascii_whitespace();
    name.trim().eq_ignore_ascii_case("rel")
        && relations.any(|relation| relation.eq_ignore_ascii_case("next"))
}

#[test]
fn table() {
    #[track_caller]
    fn check(header: &str, expected: Option<&str>) {
        assert_eq!(next(header), expected, "{header}");
    }
    let page = Some("/v2/a/tags/list?last=b&n=2");
    check(r#"</v2/a/tags/list?last=b&n=2>; rel="next""#, page);
    check("</v2/a/tags/list?last=b&n=2>;rel=next", page);
    check(
        r#"<x>; rel="prev", </v2/a/tags/list?last=b&n=2>; title="a, <b>"; REL="last next""#,
        page,
    );
    check(r#"<x>; title="a, b"; rel="prev""#, None);
    check("<x>", None);
    check("<x; rel=next", None);
    check("", None);
}
