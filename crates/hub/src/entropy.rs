//! Randomness as a parameter: secrets, ids and salts come from here.
use ring::rand::SecureRandom;
use seawall_model::{Id, Millis};

/// A source of unpredictable bytes.
pub trait Entropy: Send + Sync {
    fn fill(&self, bytes: &mut [u8]);
}

/// The kernel's random source.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemEntropy;

impl Entropy for SystemEntropy {
    fn fill(&self, bytes: &mut [u8]) {
        ring::rand::SystemRandom::new()
            .fill(bytes)
            .expect("getrandom(2) does not fail once the kernel has booted");
    }
}

impl dyn Entropy {
    /// `N` fresh bytes.
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    /// An id of the time `now`.
    pub fn id(&self, now: Millis) -> Id {
        Id::new(now, self.bytes())
    }

    /// 256 bits as 43 URL-safe characters: session, API and enrolment secrets.
    pub fn secret(&self) -> String {
        use base64::Engine;
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(self.bytes::<32>())
    }

    /// 20 letters and digits that a person can read out and type, about 99 bits: first and reset passwords.
    pub fn password(&self) -> String {
        // 31 symbols without 0, 1, i, l, o; the 32nd value of five bits is thrown again, so that all are uniform.
        const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";
        let mut password = String::with_capacity(23);
        while password.len() < 23 {
            if password.len() % 6 == 5 {
                password.push('-');
            }
            let byte = usize::from(self.bytes::<1>()[0] & 31);
            if let Some(symbol) = ALPHABET.get(byte) {
                password.push(char::from(*symbol));
            }
        }
        password
    }
}

#[test]
fn a_password_is_four_groups_of_readable_symbols() {
    let entropy: &dyn Entropy = &SystemEntropy;
    let password = entropy.password();
    let groups: Vec<&str> = password.split('-').collect();
    assert_eq!(groups.iter().map(|group| group.len()).collect::<Vec<_>>(), [5, 5, 5, 5]);
    assert!(
        password.bytes().all(|b| b == b'-' || b.is_ascii_lowercase() || (b'2'..=b'9').contains(&b))
    );
    assert_ne!(password, entropy.password());
    assert_eq!(entropy.secret().len(), 43);
}
