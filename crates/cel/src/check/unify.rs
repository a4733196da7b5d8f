//! Which types fit which, and what that settles about type parameters.
use crate::types::Type;

/// What type variables stand for. Attempts that fail leave nothing behind.
#[derive(Debug, Default)]
pub(super) struct Bindings {
    bound: Vec<Option<Type>>,
    /// What to restore, oldest first.
    trail: Vec<(u32, Option<Type>)>,
}

impl Bindings {
    pub(super) fn fresh(&mut self) -> Type {
        self.bound.push(None);
        Type::Var(u32::try_from(self.bound.len() - 1).unwrap_or(u32::MAX))
    }

    fn find(&self, kind: &Type) -> Option<&Type> {
        match kind {
            Type::Var(number) => self.bound.get(*number as usize)?.as_ref(),
            _ => None,
        }
    }

    fn bind(&mut self, number: u32, to: Type) {
        if let Some(slot) = self.bound.get_mut(number as usize) {
            let before = slot.replace(to);
            self.trail.push((number, before));
        }
    }

    /// Whether a value of type `a` may stand where `b` is asked for; settles variables if so.
    pub(super) fn assignable(&mut self, a: &Type, b: &Type) -> bool {
        self.attempt(|bindings| bindings.fits(a, b))
    }

    /// The same of two rows.
    pub(super) fn all_assignable(&mut self, a: &[Type], b: &[Type]) -> bool {
        self.attempt(|bindings| {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| bindings.fits(a, b))
        })
    }

    fn attempt(&mut self, fits: impl FnOnce(&mut Self) -> bool) -> bool {
        let mark = self.trail.len();
        let fits = fits(self);
        if !fits {
            while self.trail.len() > mark {
                if let Some((number, before)) = self.trail.pop() {
                    self.bound[number as usize] = before;
                }
            }
        }
        fits
    }

    fn fits(&mut self, a: &Type, b: &Type) -> bool {
        if let Type::Var(number) = b {
            match self.substitutes(a, b, *number) {
                (true, _) => return true,
                (false, true) => return false,
                (false, false) => {}
            }
        }
        if let Type::Var(number) = a {
            return self.substitutes(b, a, *number).0;
        }
        match (a, b) {
            (Type::Dyn | Type::Error, _) | (_, Type::Dyn | Type::Error) => true,
            (Type::Null, other) | (other, Type::Null) => nullable(other),
            (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => {
                self.fits(a, b)
            }
            (Type::Map(a, c), Type::Map(b, d)) => self.fits(a, b) && self.fits(c, d),
            (a, b) => a == b,
        }
    }

    /// Whether `variable` can be `kind`, and whether it stood for something before.
    fn substitutes(&mut self, kind: &Type, variable: &Type, number: u32) -> (bool, bool) {
        if kind == variable {
            return (true, true);
        }
        if let Some(bound) = self.find(variable).cloned() {
            if *kind == bound {
                return (true, true);
            }
            if self.fits(kind, &bound) {
                let general = most_general(kind, &bound);
                if self.is_free_of(variable, &general) {
                    self.bind(number, general);
                }
                return (true, true);
            }
            return (false, true);
        }
        if self.is_free_of(variable, kind) {
            self.bind(number, kind.clone());
            return (true, false);
        }
        (false, false)
    }

    /// The occurs check.
    fn is_free_of(&self, variable: &Type, within: &Type) -> bool {
        if variable == within {
            return false;
        }
        match within {
            Type::Var(_) => self.find(within).is_none_or(|bound| self.is_free_of(variable, bound)),
            Type::List(of) | Type::Optional(of) => self.is_free_of(variable, of),
            Type::Map(key, value) => {
                self.is_free_of(variable, key) && self.is_free_of(variable, value)
            }
            _ => true,
        }
    }

    /// `kind` with what is known put in; with `settle`, what is unknown becomes `dyn`.
    pub(super) fn substitute(&self, kind: &Type, settle: bool) -> Type {
        if let Some(bound) = self.find(kind) {
            return self.substitute(bound, settle);
        }
        match kind {
            Type::Var(_) | Type::Param(_) if settle => Type::Dyn,
            Type::List(of) => Type::list(self.substitute(of, settle)),
            Type::Optional(of) => Type::optional(self.substitute(of, settle)),
            Type::Map(key, value) => {
                Type::map(self.substitute(key, settle), self.substitute(value, settle))
            }
            other => other.clone(),
        }
    }
}

/// Structs, opaque types and times may be null.
fn nullable(kind: &Type) -> bool {
    matches!(
        kind,
        Type::Null
            | Type::Struct(_)
            | Type::Opaque(_)
            | Type::Optional(_)
            | Type::Duration
            | Type::Timestamp
    )
}

/// The more general of two types known to fit.
pub(super) fn most_general(a: &Type, b: &Type) -> Type {
    if less_specific(a, b) { a.clone() } else { b.clone() }
}

fn less_specific(a: &Type, b: &Type) -> bool {
    match (a, b) {
        (Type::Dyn | Type::Var(_), _) => true,
        (_, Type::Dyn | Type::Var(_)) => false,
        (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => {
            less_specific(a, b)
        }
        (Type::Map(a, c), Type::Map(b, d)) => less_specific(a, b) && less_specific(c, d),
        (a, b) => a == b,
    }
}
