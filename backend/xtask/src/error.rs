//! One kind of error: a sentence a person can act on.

use std::fmt::Display;

/// Why a chore ended early.
#[derive(Debug)]
pub enum Error {
    /// One clear sentence, printed after `error: `.
    Message(String),
    /// Ctrl-C or SIGTERM arrived; everything started has been asked to stop.
    Interrupted,
    /// The reason already stands on the screen; only the exit status is left to say.
    Reported(u8),
}

/// The result of everything in here.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Error::Message(sentence) => f.write_str(sentence),
            Error::Interrupted => f.write_str("stopped on request"),
            Error::Reported(_) => f.write_str("the reason stands above"),
        }
    }
}

impl From<String> for Error {
    fn from(sentence: String) -> Self {
        Error::Message(sentence)
    }
}

impl From<&str> for Error {
    fn from(sentence: &str) -> Self {
        Error::Message(sentence.to_owned())
    }
}

/// Ends the function with a sentence.
#[macro_export]
macro_rules! fail {
    ($($arg:tt)*) => {
        return Err($crate::error::Error::Message(format!($($arg)*)))
    };
}

/// Says what was being done when something of the system failed.
pub trait Context<T> {
    /// `what` completes "could not …".
    fn could_not(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: Display> Context<T> for std::result::Result<T, E> {
    fn could_not(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|cause| Error::Message(format!("could not {}: {cause}", what())))
    }
}
