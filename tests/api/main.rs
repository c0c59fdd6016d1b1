//! The service from outside: real HTTP, real PostgreSQL.

mod accounts;
mod app;
mod authorization;
mod bad_input;
mod concurrency;
mod feed;
mod history;
mod idempotency;
mod openapi;
mod organizations;
mod platforms;
mod schema;
mod sign_in;
