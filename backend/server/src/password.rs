//! Passwords: argon2id, off the request threads, with bounded memory.

use crate::access::App;
use crate::error::{Error, Result};
use argon2::password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash};
use argon2::{Algorithm, Argon2, Params, Version};
use std::time::Duration;

/// OWASP's floor: 19 MiB, two passes, one lane.
fn argon2id() -> Argon2<'static> {
    Argon2::new(
        Algorithm::Argon2id,
        Version::V0x13,
        Params::new(19456, 2, 1, None).expect("within argon2's limits"),
    )
}

/// A password must be this long where it is the only factor (NIST SP 800-63B-4).
pub const SHORTEST: usize = 15;
/// Longer ones are refused, not cut.
pub const LONGEST: usize = 128;

/// Words that a guesser tries first, besides the name of the account.
const GUESSED: [&str; 10] = [
    "password",
    "tsunagi",
    "つなぎ",
    "123456789012345",
    "qwertyuiop",
    "abcdefghijklmno",
    "shakyo",
    "社会福祉協議会",
    "administrator",
    "111111111111111",
];

/// Is a new password hard to guess? (Length and a list of guesses; no rules of composition.)
pub fn acceptable(password: &str, email: &str) -> bool {
    let length = password.chars().count();
    let folded = password.to_lowercase();
    let local = email.split('@').next().unwrap_or(email);
    (SHORTEST..=LONGEST).contains(&length)
        && !GUESSED
            .iter()
            .any(|guess| folded.replace(guess, "").chars().count() < 8)
        && (local.len() < 4 || folded.replace(local, "").chars().count() >= 8)
}

/// Hashes a secret.
pub async fn hash(app: &App, secret: String) -> Result<String> {
    bounded(app, move || {
        argon2id().hash_password(secret.as_bytes()).map(|h| h.to_string())
    })
    .await?
    .map_err(|e| Error::internal(e.to_string()))
}

/// Hashes a new password without a running service.
pub fn hash_now(password: &str, email: &str) -> Result<String, String> {
    if !acceptable(password, email) {
        return Err(format!(
            "the password must have {SHORTEST} to {LONGEST} characters and not be easy to guess"
        ));
    }
    argon2id()
        .hash_password(password.as_bytes())
        .map(|h| h.to_string())
        .map_err(|e| e.to_string())
}

/// Does the secret fit one of the hashes? Takes as long for an unknown account as for a known one.
pub async fn fits(app: &App, secret: String, hashes: Vec<String>) -> Result<bool> {
    Ok(fitting(app, secret, hashes).await?.is_some())
}

/// Which of the hashes the secret fits.
pub async fn fitting(app: &App, secret: String, hashes: Vec<String>) -> Result<Option<usize>> {
    bounded(app, move || {
        let hashes = if hashes.is_empty() {
            vec![dummy().to_owned()]
        } else {
            hashes
        };
        let fits = |hash: &String| {
            PasswordHash::new(hash).is_ok_and(|h| argon2id().verify_password(secret.as_bytes(), &h).is_ok())
        };
        // Every hash is tried: how many there are must not show in the time.
        let tried: Vec<bool> = hashes.iter().map(fits).collect();
        tried.iter().position(|fits| *fits)
    })
    .await
}

/// A hash that no password fits, for accounts that do not exist.
fn dummy() -> &'static str {
    static DUMMY: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    DUMMY.get_or_init(|| {
        let secret: [u8; 32] = rand::random();
        argon2id()
            .hash_password(&secret)
            .map(|h| h.to_string())
            .unwrap_or_default()
    })
}

async fn bounded<T: Send + 'static>(app: &App, work: impl FnOnce() -> T + Send + 'static) -> Result<T> {
    let permit = tokio::time::timeout(Duration::from_millis(500), app.hashing.acquire())
        .await
        .map_err(|_| Error::Unavailable(1))?;
    let result = tokio::task::spawn_blocking(work).await.map_err(Error::internal);
    drop(permit);
    result
}

#[cfg(test)]
mod tests {
    #[test]
    fn guesses_are_refused() {
        for bad in [
            "short",
            "passwordpassword",
            "tsunagitsunagi123",
            "editor@nanbu",
            "111111111111111",
        ] {
            assert!(!super::acceptable(bad, "editor@nanbu.example.jp"), "{bad}");
        }
        assert!(super::acceptable(
            "correct horse battery staple",
            "editor@nanbu.example.jp"
        ));
    }
}
