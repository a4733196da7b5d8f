//! `quantity(string)`: amounts of resources, exact in every suffix, with the API server's notion of "is an integer".
//!
//! The API server keeps an amount either as a 64-bit integer with a decimal exponent or as an unbounded decimal;
//! which one depends on how it was written, and `isInteger` is false for every unbounded one, even for `1Pi`. Both
//! forms stand here for that reason. Source: k8s.io/apimachinery/pkg/api/resource at 1.36.
pub(super) mod functions;

use num_bigint::BigInt;
use num_traits::{Signed, ToPrimitive, Zero};
use std::cmp::Ordering;
use std::fmt;

/// Digits of a quantity, written out. `1e999999999` is legal text; the API server computes with all its zeros, we do not.
const MAX_DIGITS: i64 = 4096;
/// Decimal places kept: smaller fractions are rounded away from zero, to nano.
const NANO: i32 = 9;
/// Decimal digits that always fit 64 bits.
const SMALL_DIGITS: i32 = 18;

const WRONG_FORMAT: &str =
    "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const WRONG_SUFFIX: &str = "unable to parse quantity's suffix";
const TOO_LONG: &str = "quantity has more than 4096 digits";

/// An amount and the notation that its canonical text uses. Equality is by value: see [`Quantity::compare`].
#[derive(Clone)]
pub(crate) struct Quantity {
    amount: Amount,
    notation: Notation,
    /// See [`functions`]: what `==` is told of it.
    computed: bool,
}

#[derive(Clone, Debug)]
enum Amount {
    /// `value * 10^exponent`
    Small { value: i64, exponent: i32 },
    /// `digits * 10^-scale`
    Exact { digits: BigInt, scale: i32 },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Notation {
    DecimalExponent,
    DecimalSi,
    BinarySi,
}

/// As Go's `%v` prints it into messages.
impl fmt::Debug for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.canonical())
    }
}

/// The parts of a quantity's text, `number` with its sign left out and leading zeros of `whole` cut.
struct Parts<'t> {
    negative: bool,
    whole: &'t str,
    fraction: &'t str,
    suffix: &'t str,
}

impl Quantity {
    fn new(amount: Amount, notation: Notation) -> Quantity {
        Quantity { amount, notation, computed: false }
    }

    /// Error: the API server's text, or that the number is longer than we compute with.
    pub(crate) fn parse(text: &str) -> Result<Quantity, String> {
        let parts = split(text).ok_or(WRONG_FORMAT)?;
        let (base, exponent, notation) = unit(parts.suffix).ok_or(WRONG_SUFFIX)?;
        if (parts.whole.len() + parts.fraction.len()) as i64 > MAX_DIGITS {
            return Err(TOO_LONG.into());
        }
        match small(&parts, exponent, notation) {
            Some(amount) => Ok(Quantity::new(amount, notation)),
            None => exact(&parts, base, exponent, notation).map_err(str::to_owned),
        }
    }

    pub(crate) fn is_integer(&self) -> bool {
        self.as_integer().is_some()
    }

    /// None where the API server says it cannot convert: out of range, a fraction, or kept as an unbounded decimal.
    pub(crate) fn as_integer(&self) -> Option<i64> {
        match self.amount {
            Amount::Small { value, exponent: 0 } => Some(value),
            Amount::Small { value, exponent } if exponent > 0 => scale_up(value, exponent.into()),
            _ => None,
        }
    }

    /// The error text of `asInteger` where [`Quantity::as_integer`] has no answer.
    pub(crate) const NOT_AN_INTEGER: &str = "cannot convert value to integer";

    pub(crate) fn as_approximate_float(&self) -> f64 {
        let (base, exponent) = match &self.amount {
            Amount::Small { value, exponent } => (*value as f64, *exponent),
            Amount::Exact { digits, scale } => {
                (digits.to_f64().unwrap_or(f64::INFINITY), scale.wrapping_neg())
            }
        };
        if exponent == 0 { base } else { base * power_of_ten(exponent) }
    }

    /// 1, 0 or -1.
    pub(crate) fn sign(&self) -> i64 {
        match &self.amount {
            Amount::Small { value, .. } => value.signum(),
            Amount::Exact { digits, .. } => {
                i64::from(digits.is_positive()) - i64::from(digits.is_negative())
            }
        }
    }

    /// By value, whatever the notation: `1Ki` equals `1024`.
    pub(crate) fn compare(&self, other: &Quantity) -> Ordering {
        let signs = self.sign().cmp(&other.sign());
        if signs != Ordering::Equal || self.sign() == 0 {
            return signs;
        }
        let ((a, a_exponent), (b, b_exponent)) = (self.amount.parts(), other.amount.parts());
        // Where the leading digits stand decides unless both are close: nothing is written out for `1e999999999`.
        let magnitude = |digits: &BigInt, exponent: i64| digit_count(digits) + exponent;
        let by_size = magnitude(&a, a_exponent).cmp(&magnitude(&b, b_exponent));
        if by_size != Ordering::Equal {
            return if self.sign() > 0 { by_size } else { by_size.reverse() };
        }
        let least = a_exponent.min(b_exponent);
        raise(&a, a_exponent - least).cmp(&raise(&b, b_exponent - least))
    }

    /// Error: the sum is longer than we compute with.
    pub(crate) fn add(&self, other: &Quantity) -> Result<Quantity, String> {
        self.plus(other.amount.clone(), other.notation)
    }

    /// Error: the difference is longer than we compute with.
    pub(crate) fn sub(&self, other: &Quantity) -> Result<Quantity, String> {
        let negated = match &other.amount {
            Amount::Small { value: i64::MIN, exponent } => {
                Amount::Exact { digits: -BigInt::from(i64::MIN), scale: exponent.wrapping_neg() }
            }
            Amount::Small { value, exponent } => {
                Amount::Small { value: -value, exponent: *exponent }
            }
            Amount::Exact { digits, scale } => Amount::Exact { digits: -digits, scale: *scale },
        };
        self.plus(negated, other.notation)
    }

    /// What `add(int)` and `sub(int)` turn their operand into.
    pub(crate) fn from_integer(value: i64) -> Quantity {
        Quantity::new(Amount::Small { value, exponent: 0 }, Notation::DecimalExponent)
    }

    /// A zero takes over the notation of what is added to it.
    fn plus(&self, addend: Amount, notation: Notation) -> Result<Quantity, String> {
        let notation = if self.sign() == 0 { notation } else { self.notation };
        if let Some(amount) = small_sum(&self.amount, &addend) {
            return Ok(Quantity::new(amount, notation));
        }
        let ((a, a_exponent), (b, b_exponent)) = (self.amount.parts(), addend.parts());
        let least = a_exponent.min(b_exponent);
        let written = |digits: &BigInt, exponent: i64| digit_count(digits) + exponent - least;
        if written(&a, a_exponent).max(written(&b, b_exponent)) > MAX_DIGITS {
            return Err(TOO_LONG.into());
        }
        let digits = raise(&a, a_exponent - least) + raise(&b, b_exponent - least);
        let scale = i32::try_from(-least).map_err(|_| TOO_LONG)?;
        Ok(Quantity::new(Amount::Exact { digits, scale }, notation))
    }

    /// The canonical text: the largest suffix that leaves no fraction.
    pub(crate) fn canonical(&self) -> String {
        if self.sign() == 0 {
            return "0".into();
        }
        let (mut digits, mut exponent) = self.amount.parts();
        let ten = BigInt::from(10);
        while (&digits % &ten).is_zero() {
            digits /= &ten;
            exponent += 1;
        }
        let binary = self.notation == Notation::BinarySi
            && (0..=MAX_DIGITS).contains(&exponent)
            && raise(&digits, exponent).abs() >= BigInt::from(1024);
        if binary {
            return binary_text(raise(&digits, exponent));
        }
        let spare = exponent.rem_euclid(3);
        let (number, exponent) = (raise(&digits, spare), exponent - spare);
        match (self.notation, exponent) {
            (_, 0) => number.to_string(),
            (Notation::DecimalExponent, _) => format!("{number}e{exponent}"),
            _ => format!("{number}{}", decimal_suffix(exponent)),
        }
    }
}

impl Amount {
    /// Digits and the decimal exponent they are multiplied by.
    fn parts(&self) -> (BigInt, i64) {
        match self {
            Amount::Small { value, exponent } => (BigInt::from(*value), i64::from(*exponent)),
            Amount::Exact { digits, scale } => (digits.clone(), -i64::from(*scale)),
        }
    }
}

/// The grammar of quantities; a sign or a point alone is zero, as in Go. None: the text does not follow it.
fn split(text: &str) -> Option<Parts<'_>> {
    if text.is_empty() {
        return None;
    }
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, rest) = unsigned.split_at(digits(unsigned));
    let (fraction, suffix) = match rest.strip_prefix('.') {
        Some(rest) => rest.split_at(digits(rest)),
        None => ("", rest),
    };
    let letters = suffix.trim_start_matches(|letter| "eEinumkKMGTP".contains(letter));
    let exponent = letters.strip_prefix(['-', '+']).unwrap_or(letters);
    if digits(exponent) != exponent.len() {
        return None;
    }
    let whole = match whole.trim_start_matches('0') {
        "" => "0",
        whole => whole,
    };
    Some(Parts { negative: text.starts_with('-'), whole, fraction, suffix })
}

/// Base, exponent and notation of a suffix. None: no such suffix.
fn unit(suffix: &str) -> Option<(u32, i32, Notation)> {
    let decimal = |exponent| Some((10, exponent, Notation::DecimalSi));
    let binary = |exponent| Some((2, exponent, Notation::BinarySi));
    match suffix {
        "" => decimal(0),
        "n" => decimal(-9),
        "u" => decimal(-6),
        "m" => decimal(-3),
        "k" => decimal(3),
        "M" => decimal(6),
        "G" => decimal(9),
        "T" => decimal(12),
        "P" => decimal(15),
        "E" => decimal(18),
        "Ki" => binary(10),
        "Mi" => binary(20),
        "Gi" => binary(30),
        "Ti" => binary(40),
        "Pi" => binary(50),
        "Ei" => binary(60),
        _ => {
            let exponent: i64 = suffix.strip_prefix(['e', 'E'])?.parse().ok()?;
            Some((10, exponent as i32, Notation::DecimalExponent)) // Go cuts to 32 bits too
        }
    }
}

fn decimal_suffix(exponent: i64) -> &'static str {
    match exponent {
        -9 => "n",
        -6 => "u",
        -3 => "m",
        3 => "k",
        6 => "M",
        9 => "G",
        12 => "T",
        15 => "P",
        18 => "E",
        _ => "", // beyond exa Go prints the bare number too
    }
}

/// The 64-bit form, where few enough digits and small enough a suffix allow it.
fn small(parts: &Parts<'_>, exponent: i32, notation: Notation) -> Option<Amount> {
    let (whole, fraction) = (parts.whole.len() as i32, parts.fraction.len() as i32);
    let (scale, room, factor) = match notation {
        Notation::BinarySi if fraction == 0 => {
            (0, 15 - whole - exponent * 3 / 10 - 1, 1i64 << exponent)
        }
        Notation::BinarySi => return None,
        _ => (exponent.wrapping_sub(fraction), SMALL_DIGITS - whole - fraction, 1),
    };
    if room < 0 || scale < -NANO {
        return None;
    }
    let shifted: i64 = format!("{}{}", parts.whole, parts.fraction).parse().ok()?;
    let value = shifted.checked_mul(factor)?;
    Some(Amount::Small { value: if parts.negative { -value } else { value }, exponent: scale })
}

/// The unbounded form: rounded away from zero to nano; binary amounts are capped at 2^63-1.
fn exact(
    parts: &Parts<'_>,
    base: u32,
    exponent: i32,
    notation: Notation,
) -> Result<Quantity, &'static str> {
    let text = format!("{}{}", parts.whole, parts.fraction);
    let mut digits: BigInt =
        text.parse().map_err(|_| "unable to parse numeric part of quantity")?;
    let mut scale = parts.fraction.len() as i32;
    match base {
        10 => scale = scale.wrapping_sub(exponent),
        _ => digits <<= exponent as usize,
    }
    if !digits.is_zero() {
        (digits, scale) = (round_up(digits, i64::from(scale))?, NANO);
    }
    let mut notation = notation;
    if notation == Notation::BinarySi {
        let one = BigInt::from(10).pow(NANO as u32);
        if scale == NANO && digits > BigInt::from(i64::MAX) * &one {
            (digits, scale) = (BigInt::from(i64::MAX), 0);
        } else if scale == NANO && digits < one && digits.is_positive() {
            notation = Notation::DecimalSi;
        }
    }
    if parts.negative {
        digits = -digits;
    }
    Ok(Quantity::new(Amount::Exact { digits, scale }, notation))
}

/// `digits * 10^-scale` in nano, rounded away from zero. `digits` is positive.
fn round_up(digits: BigInt, scale: i64) -> Result<BigInt, &'static str> {
    let surplus = scale - i64::from(NANO);
    if surplus <= 0 {
        if digit_count(&digits) - surplus > MAX_DIGITS {
            return Err(TOO_LONG);
        }
        return Ok(raise(&digits, -surplus));
    }
    if surplus > MAX_DIGITS {
        return Ok(BigInt::from(1)); // at most 4096 digits lie below one nano
    }
    let divisor = BigInt::from(10).pow(surplus as u32);
    let (quotient, rest) = (&digits / &divisor, &digits % &divisor);
    Ok(if rest.is_zero() { quotient } else { quotient + 1 })
}

/// The sum in 64 bits. None: it overflows, or one side is unbounded already.
fn small_sum(a: &Amount, b: &Amount) -> Option<Amount> {
    let (
        &Amount::Small { value: a, exponent: a_exponent },
        &Amount::Small { value: b, exponent: b_exponent },
    ) = (a, b)
    else {
        return None;
    };
    let (value, exponent) = match (a, b, a_exponent.cmp(&b_exponent)) {
        (_, 0, _) => (a, a_exponent),
        (0, _, _) => (b, b_exponent),
        (_, _, Ordering::Less) => (
            a.checked_add(scale_up(b, i64::from(b_exponent) - i64::from(a_exponent))?)?,
            a_exponent,
        ),
        _ => (
            b.checked_add(scale_up(a, i64::from(a_exponent) - i64::from(b_exponent))?)?,
            b_exponent,
        ),
    };
    Some(Amount::Small { value, exponent })
}

/// `value * 10^exponent`, None on overflow.
fn scale_up(value: i64, exponent: i64) -> Option<i64> {
    if value == 0 {
        return Some(0);
    }
    value.checked_mul(10i64.checked_pow(u32::try_from(exponent).ok()?)?)
}

fn raise(digits: &BigInt, exponent: i64) -> BigInt {
    digits * BigInt::from(10).pow(exponent as u32)
}

/// Decimal digits of a number, without its sign.
fn digit_count(digits: &BigInt) -> i64 {
    digits.magnitude().to_string().len() as i64
}

/// A whole number of at least 1024, in the largest binary suffix that divides it.
fn binary_text(mut number: BigInt) -> String {
    let unit = BigInt::from(1024);
    let mut steps = 0;
    while (&number % &unit).is_zero() {
        number /= &unit;
        steps += 1;
    }
    let suffix = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"].get(steps).copied().unwrap_or("");
    format!("{number}{suffix}")
}

/// Go's `math.Pow10`, bit for bit: the product (quotient) of two rounded powers, not the nearest double.
fn power_of_ten(exponent: i32) -> f64 {
    let literal = |power: i32| format!("1e{power}").parse().unwrap_or(f64::NAN);
    let (steps, rest) = (exponent / 32 * 32, (exponent % 32).abs());
    match exponent {
        0..=308 => literal(steps) * literal(rest),
        -323..=-1 => literal(steps) / literal(rest),
        309.. => f64::INFINITY,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests;
