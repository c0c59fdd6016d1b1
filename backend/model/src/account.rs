//! Accounts, roles, credentials, sessions, signing keys.
