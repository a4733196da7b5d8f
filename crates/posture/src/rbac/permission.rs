//! Permissions as numbers, and sets of them.
//!
//! A permission is (verb, API group, resource or resource/subresource). Those that a rule or a risky pattern names are
//! *known* and have a number; a role is then a set of bits, and what a subject may do a union of such sets.
use std::collections::HashMap;
use std::sync::Arc;

/// Permissions with a number; the built-in roles name 1,500. Beyond it rules are read instead, so answers stay right.
pub(crate) const MAX_KNOWN: usize = 1 << 15;

/// A number per (verb, group, resource); never given twice, never taken back.
#[derive(Debug, Default)]
pub(crate) struct Universe {
    numbers: HashMap<Permission, u32>,
    permissions: Vec<Permission>,
}

/// What a request asks for and a rule grants. `resource` is `pods` or `pods/log`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Permission {
    pub(crate) verb: Arc<str>,
    pub(crate) group: Arc<str>,
    pub(crate) resource: Arc<str>,
}

impl Universe {
    /// The permission's number, a new one where it has none; `None` above [`MAX_KNOWN`].
    pub(crate) fn learn(&mut self, permission: Permission) -> Option<u32> {
        if let Some(number) = self.numbers.get(&permission) {
            return Some(*number);
        }
        if self.permissions.len() >= MAX_KNOWN {
            return None;
        }
        let number = u32::try_from(self.permissions.len()).ok()?;
        self.permissions.push(permission.clone());
        self.numbers.insert(permission, number);
        Some(number)
    }

    pub(crate) fn number(&self, permission: &Permission) -> Option<u32> {
        self.numbers.get(permission).copied()
    }

    /// All known permissions, by number.
    pub(crate) fn known(&self) -> impl Iterator<Item = (u32, &Permission)> {
        (0..).zip(&self.permissions)
    }
}

/// A set of permission numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Bits(Vec<u64>);

impl Bits {
    pub(crate) fn insert(&mut self, number: u32) {
        let word = number as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (number % 64);
    }

    pub(crate) fn contains(&self, number: u32) -> bool {
        self.0.get(number as usize / 64).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    pub(crate) fn union(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }
}

#[test]
fn numbers_and_sets() {
    let permission = |verb: &str| Permission {
        verb: verb.into(),
        group: "".into(),
        resource: "pods/log".into(),
    };
    let mut universe = Universe::default();
    let numbers: Vec<_> =
        ["get", "list", "get"].iter().map(|verb| universe.learn(permission(verb))).collect();
    assert_eq!(numbers, [Some(0), Some(1), Some(0)]);
    assert_eq!(universe.number(&permission("watch")), None);
    let (mut low, mut high) = (Bits::default(), Bits::default());
    low.insert(3);
    high.insert(200);
    assert!(!low.meets(&high) && low.contains(3) && !low.contains(200));
    low.union(&high);
    assert!(low.meets(&high) && low.contains(200));
}
