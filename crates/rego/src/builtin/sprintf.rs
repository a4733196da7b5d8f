//! `sprintf` with the verbs, flags and complaints of Go's `fmt`.
//!
//! Source: Go's `fmt/doc.go`, `print.go`, `format.go`. OPA hands over strings and numbers as such, everything else as
//! its text (`v1/topdown/strings.go`, builtinSprintf).
use super::quote::{quote, shown};
use super::{Answer, MAX_TEXT, Stop, string, text};
use regorus::Value;

/// Go ignores wider fields.
const MAX_WIDTH: usize = 1_000_000;

enum Arg {
    Integer(i128),
    Float(f64),
    Text(String),
}

pub(super) fn call(args: &[Value]) -> Answer {
    let format = text(&args[0])?;
    let Value::Array(operands) = &args[1] else { return Err(Stop::Undefined) };
    let operands: Vec<Arg> = operands.iter().map(argument).collect();
    let mut writer = Writer { out: String::new(), operands: &operands, next: 0, reordered: false };
    writer.format(format)?;
    string(writer.out)
}

fn argument(value: &Value) -> Arg {
    match value {
        Value::String(text) => Arg::Text(text.to_string()),
        Value::Number(number) => match (number.as_i128(), number.as_f64()) {
            (Some(integer), _) => Arg::Integer(integer),
            (None, Some(float)) => Arg::Float(float),
            _ => Arg::Text(shown(value)),
        },
        other => Arg::Text(shown(other)),
    }
}

#[derive(Clone, Copy, Default)]
struct Flags {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

struct Writer<'a> {
    out: String,
    operands: &'a [Arg],
    next: usize,
    reordered: bool,
}

impl Writer<'_> {
    fn format(&mut self, format: &str) -> Result<(), Stop> {
        let mut rest = format;
        while let Some(at) = rest.find('%') {
            self.out.push_str(&rest[..at]);
            rest = self.verb(&rest[at + 1..])?;
            if self.out.len() > MAX_TEXT {
                return Err(Stop::Limit("a string over 16 MiB"));
            }
        }
        self.out.push_str(rest);
        if !self.reordered && self.next < self.operands.len() {
            let extra: Vec<String> = self.operands[self.next..].iter().map(typed).collect();
            self.out.push_str(&format!("%!(EXTRA {})", extra.join(", ")));
        }
        Ok(())
    }

    /// From behind a `%`; returns what follows the verb.
    fn verb<'t>(&mut self, text: &'t str) -> Result<&'t str, Stop> {
        let mut rest = text;
        let mut flags = Flags::default();
        while let Some(flag) = rest.chars().next() {
            match flag {
                '+' => flags.plus = true,
                '-' => (flags.minus, flags.zero) = (true, false),
                '#' => flags.sharp = true,
                ' ' => flags.space = true,
                '0' => flags.zero = !flags.minus,
                _ => break,
            }
            rest = &rest[1..];
        }
        let mut good = true;
        rest = self.index(rest, &mut good);
        if let Some(after) = rest.strip_prefix('*') {
            rest = after;
            match self.star() {
                Some(width) => {
                    flags.minus |= width < 0;
                    flags.zero &= width >= 0;
                    flags.width = usize::try_from(width.unsigned_abs()).ok();
                }
                None => self.out.push_str("%!(BADWIDTH)"),
            }
        } else {
            (flags.width, rest) = number(rest);
        }
        if let Some(after) = rest.strip_prefix('.') {
            rest = self.index(after, &mut good);
            if let Some(after) = rest.strip_prefix('*') {
                rest = after;
                match self.star().map(usize::try_from) {
                    Some(Ok(precision)) => flags.precision = Some(precision),
                    Some(Err(_)) => {}
                    None => self.out.push_str("%!(BADPREC)"),
                }
            } else {
                let (precision, after) = number(rest);
                (flags.precision, rest) = (Some(precision.unwrap_or(0)), after);
            }
        }
        rest = self.index(rest, &mut good);
        let Some(verb) = rest.chars().next() else {
            self.out.push_str("%!(NOVERB)");
            return Ok(rest);
        };
        rest = &rest[verb.len_utf8()..];
        if verb == '%' {
            self.out.push('%');
        } else if !good {
            self.out.push_str(&format!("%!{verb}(BADINDEX)"));
        } else if let Some(operand) = self.operands.get(self.next) {
            self.next += 1;
            let printed = print(operand, verb, flags);
            if printed.len() > MAX_TEXT {
                return Err(Stop::Limit("a string over 16 MiB"));
            }
            self.out.push_str(&printed);
        } else {
            self.out.push_str(&format!("%!{verb}(MISSING)"));
        }
        Ok(rest)
    }

    /// `[2]` chooses the next operand.
    fn index<'t>(&mut self, rest: &'t str, good: &mut bool) -> &'t str {
        let Some(inside) = rest.strip_prefix('[') else { return rest };
        self.reordered = true;
        let Some(end) = inside.find(']') else {
            *good = false;
            return inside;
        };
        match inside[..end].parse::<usize>() {
            Ok(index @ 1..) if index <= self.operands.len() => self.next = index - 1,
            _ => *good = false,
        }
        &inside[end + 1..]
    }

    /// A width or precision that is an operand.
    fn star(&mut self) -> Option<i64> {
        let operand = self.operands.get(self.next);
        self.next += usize::from(operand.is_some());
        match operand {
            Some(Arg::Integer(width)) if width.unsigned_abs() <= MAX_WIDTH as u128 => {
                i64::try_from(*width).ok()
            }
            _ => None,
        }
    }
}

fn number(text: &str) -> (Option<usize>, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    match text[..digits].parse() {
        Ok(number) if number <= MAX_WIDTH => (Some(number), &text[digits..]),
        _ => (None, &text[digits..]),
    }
}

fn print(operand: &Arg, verb: char, mut flags: Flags) -> String {
    if verb == 'v' {
        flags.plus = false; // Means "with field names" there.
    }
    let printed = match operand {
        Arg::Integer(number) => integer(*number, verb, flags),
        Arg::Float(number) => float(*number, verb, flags),
        Arg::Text(text) => words(text, verb, flags),
    };
    printed.unwrap_or_else(|| format!("%!{verb}({})", typed(operand)))
}

/// `int=3`, as complaints show an operand; `%T` shows the type alone.
fn typed(operand: &Arg) -> String {
    format!("{}={}", kind(operand), print(operand, 'v', Flags::default()))
}

fn kind(operand: &Arg) -> &'static str {
    match operand {
        Arg::Integer(number) if i64::try_from(*number).is_ok() => "int",
        Arg::Integer(_) => "*big.Int",
        Arg::Float(_) => "float64",
        Arg::Text(_) => "string",
    }
}

/// Fills up to the width, in characters; numbers have their zeros already.
fn pad(text: String, flags: Flags) -> String {
    let width = flags.width.unwrap_or(0);
    let missing = width.saturating_sub(text.chars().count());
    match flags.minus {
        _ if missing == 0 => text,
        true => format!("{text}{}", " ".repeat(missing)),
        false => format!("{}{text}", if flags.zero { "0" } else { " " }.repeat(missing)),
    }
}

fn words(text: &str, verb: char, flags: Flags) -> Option<String> {
    let cut: String = text.chars().take(flags.precision.unwrap_or(usize::MAX)).collect();
    let hexadecimal = |upper: bool| {
        let bytes = &text.as_bytes()[..text.len().min(flags.precision.unwrap_or(usize::MAX))];
        let prefix = match (flags.sharp && !bytes.is_empty(), upper) {
            (false, _) => "",
            (true, false) => "0x",
            (true, true) => "0X",
        };
        let byte = |byte: &u8| if upper { format!("{byte:02X}") } else { format!("{byte:02x}") };
        let separator = if flags.space { format!(" {prefix}") } else { String::new() };
        format!("{prefix}{}", bytes.iter().map(byte).collect::<Vec<_>>().join(&separator))
    };
    let printed = match verb {
        'v' if flags.sharp => quote(&cut),
        's' | 'v' => cut,
        'q' if flags.sharp && !cut.contains(['`', '\n', '\r']) => format!("`{cut}`"),
        'q' if flags.plus => ascii(&quote(&cut)),
        'q' => quote(&cut),
        'x' => hexadecimal(false),
        'X' => hexadecimal(true),
        'T' => "string".to_owned(),
        _ => return None,
    };
    Some(pad(printed, flags))
}

fn ascii(quoted: &str) -> String {
    let escaped = |char: char| match char as u32 {
        0..=0x7f => char.to_string(),
        code @ 0x80..=0xffff => format!("\\u{code:04x}"),
        code => format!("\\U{code:08x}"),
    };
    quoted.chars().map(escaped).collect()
}

fn integer(number: i128, verb: char, flags: Flags) -> Option<String> {
    let magnitude = number.unsigned_abs();
    let digits = match verb {
        'd' | 'v' => magnitude.to_string(),
        'b' => format!("{magnitude:b}"),
        'o' | 'O' => format!("{magnitude:o}"),
        'x' => format!("{magnitude:x}"),
        'X' => format!("{magnitude:X}"),
        'T' if i64::try_from(number).is_ok() => return Some(pad("int".to_owned(), flags)),
        'T' => return Some(pad("*big.Int".to_owned(), flags)),
        'c' | 'q' | 'U' => return character(number, verb, flags).map(|text| pad(text, flags)),
        _ => return None,
    };
    let prefix = match verb {
        'b' if flags.sharp => "0b",
        'o' if flags.sharp && !digits.starts_with('0') => "0",
        'O' => "0o",
        'x' if flags.sharp => "0x",
        'X' if flags.sharp => "0X",
        _ => "",
    };
    let sign = sign(number < 0, flags);
    let digits = match flags.precision {
        Some(0) if number == 0 => String::new(),
        Some(least) => format!("{digits:0>least$}"),
        // Zeros instead of spaces stand between the sign and the digits.
        None if flags.zero => {
            let least = flags.width.unwrap_or(0).saturating_sub(sign.len());
            format!("{digits:0>least$}")
        }
        None => digits,
    };
    let flags = Flags { zero: false, ..flags };
    Some(pad(format!("{sign}{prefix}{digits}"), flags))
}

fn sign(negative: bool, flags: Flags) -> &'static str {
    match (negative, flags.plus, flags.space) {
        (true, ..) => "-",
        (false, true, _) => "+",
        (false, false, true) => " ",
        _ => "",
    }
}

fn character(number: i128, verb: char, flags: Flags) -> Option<String> {
    let char = u32::try_from(number).ok().and_then(char::from_u32).unwrap_or('\u{fffd}');
    Some(match verb {
        'c' => char.to_string(),
        'U' if flags.sharp => format!("U+{number:04X} '{char}'"),
        'U' => format!("U+{number:04X}"),
        _ => {
            let quoted = quote(&char.to_string());
            let inside = &quoted[1..quoted.len() - 1];
            match char {
                '"' => "'\"'".to_owned(),
                '\'' => "'\\''".to_owned(),
                _ => format!("'{inside}'"),
            }
        }
    })
}

fn float(number: f64, verb: char, flags: Flags) -> Option<String> {
    let magnitude = number.abs();
    let digits = match verb {
        'v' | 'g' => general(magnitude, flags.precision),
        'G' => general(magnitude, flags.precision).to_uppercase(),
        'e' => scientific(magnitude, flags.precision.unwrap_or(6)),
        'E' => scientific(magnitude, flags.precision.unwrap_or(6)).to_uppercase(),
        'f' | 'F' => format!("{magnitude:.*}", flags.precision.unwrap_or(6)),
        'T' => return Some(pad("float64".to_owned(), flags)),
        _ => return None,
    };
    let sign = sign(number.is_sign_negative(), flags);
    let digits = if flags.zero {
        let least = flags.width.unwrap_or(0).saturating_sub(sign.len());
        format!("{digits:0>least$}")
    } else {
        digits
    };
    Some(pad(format!("{sign}{digits}"), Flags { zero: false, ..flags }))
}

/// `1.5e+06`: two digits of exponent at least.
fn scientific(number: f64, precision: usize) -> String {
    exponent(&format!("{number:.precision$e}"))
}

fn exponent(text: &str) -> String {
    let (mantissa, power) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, digits) = match power.strip_prefix('-') {
        Some(digits) => ('-', digits),
        None => ('+', power),
    };
    format!("{mantissa}e{sign}{digits:0>2}")
}

/// The shorter of both forms, as `%g`: with an exponent below -4, and from the precision on (6 for the shortest).
fn general(number: f64, precision: Option<usize>) -> String {
    let text = match precision {
        Some(precision) => format!("{number:.*e}", precision.max(1) - 1),
        None => format!("{number:e}"),
    };
    let (mantissa, power) = text.split_once('e').unwrap_or((&text, "0"));
    let power: i64 = power.parse().unwrap_or(0);
    let mantissa = match mantissa.contains('.') {
        true => mantissa.trim_end_matches('0').trim_end_matches('.'),
        false => mantissa,
    };
    let limit =
        precision.map_or(6, |precision| i64::try_from(precision.max(1)).unwrap_or(i64::MAX));
    if power < -4 || power >= limit {
        return exponent(&format!("{mantissa}e{power}"));
    }
    let significant = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let decimals = i64::try_from(significant).unwrap_or(0) - 1 - power;
    format!("{number:.*}", usize::try_from(decimals).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &str, operands: &str, expected: &str) {
        let operands = Value::from_json_str(operands).unwrap();
        let Ok(Value::String(text)) = call(&[Value::from(format), operands]) else {
            panic!("{format} has no value")
        };
        assert_eq!(&*text, expected, "{format}");
    }

    /// What Go 1.26 prints.
    #[test]
    fn integers() {
        let all = "%[1]d|%04[1]o|%[1]o|%[1]O|%#[1]o|%[1]x|%#[1]X|%[1]b|%[1]c|%[1]q|%+[1]d|% [1]d|%5[1]d|%-5[1]d|%05[1]d|%.3[1]d|%[1]v|%+[1]v|%[1]T|%[1]s|%[1]f";
        check(
            all,
            "[420]",
            "420|0644|644|0o644|0644|1a4|0X1A4|110100100|Ƥ|'Ƥ'|+420| 420|  420|420  |00420|420|420|420|int|%!s(int=420)|%!f(int=420)",
        );
        check(
            all,
            "[-7]",
            "-7|-007|-7|-0o7|-07|-7|-0X7|-111|\u{fffd}|'\u{fffd}'|-7|-7|   -7|-7   |-0007|-007|-7|-7|int|%!s(int=-7)|%!f(int=-7)",
        );
        check("%#o|%.0d|", "[0, 0]", "0||");
        check("%d", "[18446744073709551616]", "18446744073709551616");
    }

    #[test]
    fn floats() {
        let all = "%[1]v|%[1]g|%[1]e|%[1]f|%.3[1]g|%8.2[1]f|%08.2[1]f|%+[1]v";
        check(all, "[1.5]", "1.5|1.5|1.500000e+00|1.500000|1.5|    1.50|00001.50|1.5");
        check("%v %v %v", "[123456789.5, 0.00001, 100000.25]", "1.234567895e+08 1e-05 100000.25");
        check("%d", "[1.5]", "%!d(float64=1.5)");
        check("%.*f|%*d|%-*d|", "[2, 1.25, 5, 1, 5, 2]", "1.25|    1|2    |");
    }

    #[test]
    fn words_and_the_rest() {
        let all = "%[1]s|%[1]v|%[1]q|%-5[1]s|%5[1]s|%05[1]s|%.1[1]s|%[1]x|% [1]X|%#[1]x|%[1]d|%+[1]v|%#[1]v|%[1]T|%[1]t|%+[1]q";
        check(
            all,
            r#"["ünï"]"#,
            "ünï|ünï|\"ünï\"|ünï  |  ünï|00ünï|ü|c3bc6ec3af|C3 BC 6E C3 AF|0xc3bc6ec3af|%!d(string=ünï)|ünï|\"ünï\"|string|%!t(string=ünï)|\"\\u00fcn\\u00ef\"",
        );
        check(
            "%v %v %s",
            r#"[true, null, {"b": [1, "x\n"], "a": {}}]"#,
            r#"true null {"a": {}, "b": [1, "x\n"]}"#,
        );
    }

    #[test]
    fn complaints() {
        check("%s|%s", r#"["a"]"#, "a|%!s(MISSING)");
        check("%s", r#"["a", "b", 1, 2.5]"#, "a%!(EXTRA string=b, int=1, float64=2.5)");
        check("%[2]s %[1]s", r#"["a", "b"]"#, "b a");
        check("%[3]s", r#"["a"]"#, "%!s(BADINDEX)");
        check("%z|%%|100%", "[1]", "%!z(int=1)|%|100%!(NOVERB)");
    }
}
