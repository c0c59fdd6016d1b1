//! The service from outside: real HTTP, real PostgreSQL.

mod accounts;
mod app;
mod authorization;
mod bad_input;
mod batch;
mod changes;
mod concurrency;
mod evaluations;
mod external_ids;
mod feed;
mod findings;
mod history;
mod idempotency;
mod kpis;
mod lists;
mod members;
mod municipality_facts;
mod openapi;
mod organizations;
mod plans;
mod platforms;
mod projects;
mod roadmap;
mod schema;
mod sign_in;
mod webhooks;
