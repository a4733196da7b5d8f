//! The form of a list that `Accept` prefers. Source: RFC 9110, 12.5.1.

/// How the caller wants a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Page,
    Csv,
    Lines,
}

/// In the order that decides where the header leaves it open.
const FORMS: [(Form, &str, &str); 3] = [
    (Form::Page, "application", "json"),
    (Form::Csv, "text", "csv"),
    (Form::Lines, "application", "x-ndjson"),
];

/// How exactly a range names a type: `*/*`, `text/*`, `text/csv`.
fn exactness(range: &str, kind: &str, subtype: &str) -> Option<u8> {
    match range.split_once('/')? {
        ("*", "*") => Some(0),
        (k, "*") if k.eq_ignore_ascii_case(kind) => Some(1),
        (k, s) if k.eq_ignore_ascii_case(kind) && s.eq_ignore_ascii_case(subtype) => Some(2),
        _ => None,
    }
}

/// Range and weight in thousandths; a weight that cannot be read counts as none.
fn weighted(element: &str) -> (&str, u32) {
    let mut parts = element.split(';').map(str::trim);
    let range = parts.next().unwrap_or_default();
    let mut parameters = parts.filter_map(|parameter| parameter.split_once('='));
    let weight = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("q"));
    let weight = weight.map_or(1.0, |(_, q)| q.trim().parse::<f32>().unwrap_or(0.0));
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is 0 to 1000")]
    let thousandths = (weight.clamp(0.0, 1.0) * 1000.0) as u32;
    (range, thousandths)
}

/// A page where nothing else is preferred, also where no form is acceptable.
pub(super) fn form(accept: &str) -> Form {
    let ranges: Vec<(&str, u32)> = accept.split(',').map(|part| weighted(part.trim())).collect();
    let mut best = (Form::Page, (0, 0));
    for (form, kind, subtype) in FORMS {
        // The most exact range decides about a form; then weight, then exactness, choose among forms.
        let fits = ranges
            .iter()
            .filter_map(|&(range, weight)| Some((exactness(range, kind, subtype)?, weight)));
        let Some((exactness, weight)) = fits.max_by_key(|&(exactness, _)| exactness) else {
            continue;
        };
        if weight > 0 && (weight, exactness) > best.1 {
            best = (form, (weight, exactness));
        }
    }
    best.0
}

#[test]
fn the_preferred_form_is_answered() {
    #[track_caller]
    fn check(accept: &str, expected: Form) {
        assert_eq!(form(accept), expected, "{accept}");
    }
    check("", Form::Page);
    check("*/*", Form::Page);
    check("text/html,application/xhtml+xml,*/*;q=0.8", Form::Page);
    check("text/csv", Form::Csv);
    check("Text/CSV; charset=utf-8", Form::Csv);
    check("text/*", Form::Csv);
    check("application/x-ndjson, */*", Form::Lines);
    check("application/json, text/csv;q=0.5", Form::Page);
    check("application/json;q=0.5, text/csv", Form::Csv);
    check("text/csv;q=0, */*", Form::Page);
    check("application/json;q=0.1, application/x-ndjson;Q=0.2", Form::Lines);
    check("text/csv, application/json", Form::Page);
    check("text/csvx, x-text/csv", Form::Page);
    check("application/xml", Form::Page);
    check("text/csv;q=nonsense", Form::Page);
}
