//! The tests are in `api/`; this crate has no code of its own.
