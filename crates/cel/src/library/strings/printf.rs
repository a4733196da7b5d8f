//! The clauses of `string.format` and how numbers print in them: as Go's message printer for `en_US` does, with its
//! grouping, its `×10⁰⁶` and its slips, which policies' messages show. Source: cel-go/ext/formatting.go at 0.26 and
//! golang.org/x/text/message, measured.

/// How an argument is printed. A precision is kept as written; see [`fixed`] and [`scientific`] for what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    String,
    Decimal,
    Fixed(i64),
    Scientific(i64),
    Binary,
    Hex { upper: bool },
    Octal,
}

impl Verb {
    /// What cel-go says of an argument whose type the verb does not print.
    pub(crate) fn refusal(self, given: &str) -> String {
        let rule = match self {
            Verb::String => {
                "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, \
                 durations, and timestamps"
            }
            Verb::Decimal => "decimal clause can only be used on integers",
            Verb::Fixed(_) => "fixed-point clause can only be used on doubles",
            Verb::Scientific(_) => "scientific clause can only be used on doubles",
            Verb::Binary => "only integers and bools can be formatted as binary",
            Verb::Hex { .. } => "only integers, byte buffers, and strings can be formatted as hex",
            Verb::Octal => "octal clause can only be used on integers",
        };
        format!("{rule}, was given {given}")
    }
}

/// Decimal places and field width where none is written.
const PRECISION: i64 = 6;

/// Reads one clause: `clause` begins behind its `%` and is not empty. The verb and the bytes it took.
/// Error: cel-go's text.
pub(crate) fn clause(clause: &str) -> Result<(Verb, usize), String> {
    parse(clause).map_err(|error| format!("could not parse formatting clause: {error}"))
}

fn parse(clause: &str) -> Result<(Verb, usize), String> {
    let (precision, taken) = match clause.strip_prefix('.') {
        Some(digits) => {
            precision(digits).map_err(|error| format!("error while parsing precision: {error}"))?
        }
        None => (PRECISION, 0),
    };
    let byte = clause.as_bytes().get(taken).copied().unwrap_or_default();
    let verb = match byte {
        b's' => Verb::String,
        b'd' => Verb::Decimal,
        b'f' => Verb::Fixed(precision),
        b'e' => Verb::Scientific(precision),
        b'b' => Verb::Binary,
        b'x' => Verb::Hex { upper: false },
        b'X' => Verb::Hex { upper: true },
        b'o' => Verb::Octal,
        // A byte, not a character: Go prints the Latin-1 letter of the first one.
        _ => return Err(format!("unrecognized formatting clause \"{}\"", char::from(byte))),
    };
    Ok((verb, taken + 1))
}

/// The number, and the bytes it took with its point.
fn precision(text: &str) -> Result<(i64, usize), String> {
    let end = text.find(|letter: char| !letter.is_ascii_digit());
    let end = end.ok_or("could not find end of precision specifier")?;
    let digits = &text[..end];
    let number = digits.parse().map_err(|_| {
        let what = if digits.is_empty() { "invalid syntax" } else { "value out of range" };
        format!(
            "error while converting precision to integer: strconv.Atoi: parsing \"{digits}\": {what}"
        )
    })?;
    Ok((number, end + 1))
}

/// `%f`: grouped by thousands. The printer keeps its decimal places in one byte, so 256 of them are none.
pub(crate) fn fixed(value: f64, precision: i64) -> String {
    if let Some(text) = not_finite(value) {
        return text.into();
    }
    let digits = format!("{:.*}", usize::from(precision as u8), value.abs());
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (digits.as_str(), None),
    };
    let mut text = String::with_capacity(digits.len() * 4 / 3 + 2);
    if value < 0.0 {
        text.push('-');
    }
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

/// `%e`: cel-go hands the precision over as the field width, which has sixteen bits; there are always six places.
pub(crate) fn scientific(value: f64, precision: i64) -> String {
    let text = match not_finite(value) {
        Some(text) => text.to_owned(),
        None => with_superscript(value),
    };
    let width = usize::from(precision as u16);
    format!("{text:>width$}")
}

fn with_superscript(value: f64) -> String {
    let digits = format!("{:.*e}", PRECISION as usize, value.abs());
    let (mantissa, exponent) = digits.split_once('e').unwrap_or((&digits, "0"));
    let (minus, exponent) = match exponent.strip_prefix('-') {
        Some(exponent) => ("⁻", exponent),
        None => ("", exponent),
    };
    let superscript: String = format!("{exponent:0>2}")
        .chars()
        .map(|digit| SUPERSCRIPT[digit as usize - '0' as usize])
        .collect();
    let sign = if value < 0.0 { "-" } else { "" };
    format!("{sign}{mantissa}×10{minus}{superscript}")
}

const SUPERSCRIPT: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];

fn not_finite(value: f64) -> Option<&'static str> {
    match value {
        _ if value.is_nan() => Some("NaN"),
        f64::INFINITY => Some("∞"),
        f64::NEG_INFINITY => Some("-∞"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses() {
        let check = |text: &str, expected: Result<(Verb, usize), &str>| {
            assert_eq!(clause(text), expected.map_err(str::to_owned), "{text}");
        };
        check("s", Ok((Verb::String, 1)));
        check("f!", Ok((Verb::Fixed(6), 1)));
        check(".3e", Ok((Verb::Scientific(3), 3)));
        check("X", Ok((Verb::Hex { upper: true }, 1)));
        check("é", Err("could not parse formatting clause: unrecognized formatting clause \"Ã\""));
        check(
            ".",
            Err(
                "could not parse formatting clause: error while parsing precision: could not find end of precision specifier",
            ),
        );
        check(
            ".f",
            Err(
                "could not parse formatting clause: error while parsing precision: error while converting precision to integer: strconv.Atoi: parsing \"\": invalid syntax",
            ),
        );
    }

    /// Answers of cel-go 0.26.
    #[test]
    fn numbers_print_as_measured() {
        for (value, precision, expected) in [
            (0.125, 2, "0.12"),
            (0.375, 2, "0.38"),
            (2.675, 2, "2.67"),
            (2.5, 0, "2"),
            (1.5, 0, "2"),
            (1_234_567.891, 6, "1,234,567.891000"),
            (-1234.5, 0, "-1,234"),
            (999.995, 2, "1,000.00"),
            (-0.0, 2, "0.00"),
            (-0.001, 2, "-0.00"),
            (1.005, 20, "1.00499999999999989342"),
            (123.456, 256, "123"),
            (f64::NEG_INFINITY, 2, "-∞"),
            (f64::NAN, 2, "NaN"),
        ] {
            assert_eq!(fixed(value, precision), expected);
        }
        for (value, precision, expected) in [
            (1_234_567.891, 6, "1.234568×10⁰⁶"),
            (1e300, 0, "1.000000×10³⁰⁰"),
            (-1234.5, 3, "-1.234500×10⁰³"),
            (5e-324, 6, "4.940656×10⁻³²⁴"),
            (0.125, 15, " 1.250000×10⁻⁰¹"),
            (f64::INFINITY, 6, "     ∞"),
            (0.0, 6, "0.000000×10⁰⁰"),
        ] {
            assert_eq!(scientific(value, precision), expected);
        }
    }
}
