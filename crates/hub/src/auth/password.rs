//! Passwords: argon2id in PHC text, never more than two computed at once.
use crate::entropy::Entropy;
use argon2::Argon2;
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use std::sync::{Arc, LazyLock};
use tokio::sync::Semaphore;

/// Shorter ones fall to guessing. Source: NIST SP 800-63B, 5.1.1.
const MIN_PASSWORD_CHARS: usize = 12;

/// Longer input only costs; passphrases stay below.
const MAX_PASSWORD_BYTES: usize = 1024;

/// Each takes 19 MiB and one core for about 30 ms: two keep a flood of sign-ins from starving the rest.
static COMPUTING: Semaphore = Semaphore::const_new(2);

/// Why `password` cannot be a new one. Length alone: composition rules make passwords worse. Source: NIST SP 800-63B,
/// 5.1.1.2.
pub(crate) fn check_new(password: &str) -> Result<(), String> {
    if password.chars().count() < MIN_PASSWORD_CHARS {
        return Err(format!("has fewer than {MIN_PASSWORD_CHARS} characters"));
    }
    if password.len() > MAX_PASSWORD_BYTES {
        return Err(format!("is over {MAX_PASSWORD_BYTES} bytes"));
    }
    Ok(())
}

/// Verified when the user does not exist, so that the answer takes as long as for one who does.
static NOBODY: LazyLock<String> = LazyLock::new(|| hash_with("no such user", &[0; 16]));

/// The PHC text of `password`, with the parameters argon2 0.6 recommends (19 MiB, 2 passes).
pub(crate) async fn hash(entropy: &Arc<dyn Entropy>, password: &str) -> String {
    let (salt, password) = (entropy.bytes::<16>(), password.to_owned());
    computed(move || hash_with(&password, &salt)).await
}

/// Whether `password` is the one `stored` was made from; `None` stands for a user that does not exist.
pub(crate) async fn verify(stored: Option<String>, password: &str) -> bool {
    if password.len() > MAX_PASSWORD_BYTES {
        return false;
    }
    let password = password.to_owned();
    computed(move || {
        let text = stored.as_deref().unwrap_or(&NOBODY);
        let fits = PasswordHash::new(text).is_ok_and(|hash| {
            Argon2::default().verify_password(password.as_bytes(), &hash).is_ok()
        });
        fits && stored.is_some()
    })
    .await
}

async fn computed<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    let _permit = COMPUTING.acquire().await.expect("the semaphore is never closed");
    tokio::task::spawn_blocking(work).await.expect("hashing does not panic")
}

fn hash_with(password: &str, salt: &[u8; 16]) -> String {
    let hash: PasswordHash = Argon2::default()
        .hash_password_with_salt(password.as_bytes(), salt)
        .expect("the parameters and the salt length are constants argon2 accepts");
    hash.to_string()
}

#[tokio::test]
async fn only_the_same_password_verifies() {
    let entropy: Arc<dyn Entropy> = Arc::new(crate::entropy::SystemEntropy);
    let stored = hash(&entropy, "correct horse battery").await;
    assert!(stored.starts_with("$argon2id$"), "{stored}");
    assert!(verify(Some(stored.clone()), "correct horse battery").await);
    assert!(!verify(Some(stored), "correct horse batterz").await);
    assert!(!verify(None, "no such user").await, "a missing user has no password");
    assert!(!verify(Some("garbage".to_owned()), "x").await);
}
