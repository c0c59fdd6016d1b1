//! The HTTP service: who may do what, and how it looks on the wire.

pub mod access;
pub mod config;
pub mod error;
pub mod http;
pub mod outbound;
pub mod password;
pub mod policy;
pub mod tidy;
mod token;
pub mod webhooks;

mod accounts;
mod analytics;
mod auth;
mod batch;
mod changes;
mod clients;
mod columns;
mod evaluations;
mod exports;
mod external_ids;
mod files;
mod findings;
mod goals;
mod history;
mod imports;
mod kpis;
mod members;
mod messages;
mod municipality_facts;
mod oauth;
mod openapi;
mod organizations;
mod plans;
mod platforms;
mod projects;
mod roadmap;
mod screens;
mod strict;
mod sync_log;
mod transition;

pub use changes::follow as follow_changes;
pub use imports::work as carry_out_imports;

use access::App;
use actix_web::body::MessageBody;
use actix_web::dev::{ServiceFactory, ServiceRequest, ServiceResponse};
use actix_web::http::{Method, header};
use actix_web::middleware::{Compress, DefaultHeaders};
use actix_web::web::{self, Data};
use actix_web::{HttpMessage, HttpRequest, HttpResponse};
use error::Error;
use std::collections::{HashMap, HashSet};
use tracing_actix_web::RequestId;
use utoipa::OpenApi;
use utoipa_actix_web::AppExt;
use utoipa_actix_web::service_config::ServiceConfig;
use uuid::Uuid;

/// One line per resource.
fn routes(cfg: &mut ServiceConfig<'_>) {
    cfg.configure(auth::routes);
    cfg.configure(oauth::routes);
    cfg.configure(accounts::routes);
    cfg.configure(clients::routes);
    cfg.configure(organizations::routes);
    cfg.configure(platforms::routes);
    cfg.configure(plans::routes);
    cfg.configure(goals::routes);
    cfg.configure(roadmap::routes);
    cfg.configure(evaluations::routes);
    cfg.configure(kpis::routes);
    cfg.configure(members::routes);
    cfg.configure(projects::routes);
    cfg.configure(municipality_facts::routes);
    cfg.configure(external_ids::routes);
    cfg.configure(history::routes);
    cfg.configure(changes::routes);
    cfg.configure(batch::routes);
    cfg.configure(sync_log::routes);
    cfg.configure(imports::routes);
    cfg.configure(exports::routes);
    cfg.configure(analytics::routes);
    cfg.configure(findings::routes);
    cfg.configure(webhooks::routes);
}

/// The whole service: routes, middleware, and the OpenAPI document that describes exactly these routes.
pub fn app(
    app: Data<App>,
) -> (
    actix_web::App<
        impl ServiceFactory<
            ServiceRequest,
            Config = (),
            Response = ServiceResponse<impl MessageBody>,
            Error = actix_web::Error,
            InitError = (),
        >,
    >,
    serde_json::Value,
) {
    let (service, document) = actix_web::App::new()
        .into_utoipa_app()
        .openapi(openapi::Base::openapi())
        .app_data(app)
        .app_data(web::PayloadConfig::new(http::BODY_LIMIT))
        .app_data(
            web::FormConfig::default()
                .limit(16 << 10)
                .error_handler(|_, _| oauth::bad_form().into()),
        )
        .service(
            utoipa_actix_web::scope("/api/v1")
                // Inside, because a scope answers for everything below it.
                .route("/openapi.json", web::get().to(describe))
                .configure(routes),
        )
        .split_for_parts();
    let document = openapi::complete(&document);
    let methods = Methods::of(&document);
    let questions = Questions::of(&document);
    let printed = Printed(web::Bytes::from(pretty(&document)));
    let service = service
        .app_data(Data::new(methods))
        .app_data(Data::new(questions))
        .app_data(Data::new(printed))
        .service(
            utoipa_swagger_ui::SwaggerUi::new("/api/docs/{_:.*}")
                .config(utoipa_swagger_ui::Config::from("/api/v1/openapi.json")),
        )
        .route(
            "/api/docs",
            web::get().to(async || {
                HttpResponse::PermanentRedirect()
                    .insert_header((header::LOCATION, "/api/docs/"))
                    .finish()
            }),
        )
        .route(
            "/.well-known/oauth-authorization-server",
            web::get().to(oauth::metadata),
        )
        .route("/healthz", web::get().to(async || HttpResponse::Ok().body("ok\n")))
        .route("/readyz", web::get().to(ready))
        .default_service(web::to(fallback))
        .wrap(Compress::default())
        // HEAD is GET without the body, which the encoder leaves out because it knows what was asked.
        .wrap_fn(|mut request, service| {
            if request.method() == Method::HEAD {
                request.head_mut().method = Method::GET;
            }
            actix_web::dev::Service::call(service, request)
        })
        .wrap(
            DefaultHeaders::new()
                .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
                .add((header::REFERRER_POLICY, "same-origin"))
                .add((header::X_FRAME_OPTIONS, "DENY"))
                .add(("content-security-policy", screens::CONTENT_SECURITY_POLICY))
                .add(("cache-control", "no-store")),
        )
        // Every answer carries the id under which the log knows its request: staff can tell it to the operator.
        .wrap_fn(|request, service| {
            let id = request
                .extensions()
                .get::<RequestId>()
                .map_or_else(Uuid::now_v7, |id| Uuid::from_bytes(*(**id).as_bytes()));
            let answer = error::REQUEST_ID.sync_scope(id, || actix_web::dev::Service::call(service, request));
            async move {
                let mut response = error::REQUEST_ID.scope(id, answer).await?;
                if let Ok(value) = id.to_string().parse() {
                    response
                        .headers_mut()
                        .insert(header::HeaderName::from_static("x-request-id"), value);
                }
                Ok(response)
            }
        })
        .wrap(tracing_actix_web::TracingLogger::default());
    (service, document)
}

/// The OpenAPI document as it is served.
struct Printed(web::Bytes);

async fn describe(printed: Data<Printed>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("application/json")
        .body(printed.0.clone())
}

/// Ready to serve: the database answers.
async fn ready(app: Data<App>) -> Result<HttpResponse, Error> {
    app.authenticator(async |_| Ok(())).await?;
    Ok(HttpResponse::Ok().body("ready\n"))
}

/// What no route takes: another method on a known path is 405 with `Allow`, an unknown path of the API is 404, and the
/// rest are the screens.
async fn fallback(request: HttpRequest, methods: Data<Methods>) -> HttpResponse {
    use actix_web::ResponseError;
    if let Some(allowed) = methods.allowed(request.path()) {
        let mut response = if request.method() == Method::OPTIONS {
            HttpResponse::NoContent().finish()
        } else {
            Error::MethodNotAllowed.error_response()
        };
        if let Ok(value) = allowed.parse() {
            response.headers_mut().insert(header::ALLOW, value);
        }
        return response;
    }
    if request.path().starts_with("/api/") || request.method() != Method::GET {
        return Error::NotFound.error_response();
    }
    screens::serve(request.path())
}

/// Paths of the document and their methods: actix answers 404 where 405 is meant.
struct Methods(Vec<(Vec<String>, String)>);

impl Methods {
    fn of(document: &serde_json::Value) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten().map(|(path, item)| {
            let methods = item
                .as_object()
                .into_iter()
                .flatten()
                .map(|(m, _)| m.to_uppercase())
                .filter(|m| m != "PARAMETERS");
            let methods: Vec<String> = methods
                .flat_map(|m| {
                    if m == "GET" {
                        vec![m, "HEAD".to_owned()]
                    } else {
                        vec![m]
                    }
                })
                .chain(["OPTIONS".to_owned()])
                .collect();
            (path.split('/').map(str::to_owned).collect(), methods.join(", "))
        });
        Self(paths.collect())
    }

    fn allowed(&self, path: &str) -> Option<&str> {
        let segments: Vec<&str> = path.split('/').collect();
        let fits = |pattern: &Vec<String>| {
            pattern.len() == segments.len()
                && pattern
                    .iter()
                    .zip(&segments)
                    .all(|(p, s)| p == s || (p.starts_with('{') && !s.is_empty()))
        };
        // A literal path wins over one with a parameter.
        self.0
            .iter()
            .filter(|(pattern, _)| fits(pattern))
            .min_by_key(|(p, _)| p.iter().filter(|s| s.starts_with('{')).count())
            .map(|(_, m)| m.as_str())
    }
}

/// Query parameters of the operations, and whether each is a list: one that is misspelt, or given twice and no list, is
/// refused, not left out.
pub(crate) struct Questions(HashMap<String, HashMap<String, bool>>);

impl Questions {
    fn of(document: &serde_json::Value) -> Self {
        let paths = document["paths"].as_object().into_iter().flatten();
        let operations = paths.flat_map(|(path, item)| {
            item.as_object().into_iter().flatten().map(move |(method, operation)| {
                let parameters = operation["parameters"].as_array().into_iter().flatten();
                let names = parameters.filter(|p| p["in"] == "query").filter_map(|p| {
                    let is_list = p["schema"]["type"].to_string().contains("array");
                    Some((p["name"].as_str()?.to_owned(), is_list))
                });
                (format!("{} {path}", method.to_uppercase()), names.collect())
            })
        });
        Self(operations.collect())
    }

    pub(crate) fn are_known(&self, request: &HttpRequest) -> bool {
        if request.query_string().is_empty() {
            return true;
        }
        let operation = format!("{} {}", request.method(), request.match_pattern().unwrap_or_default());
        let known = self.0.get(&operation);
        let mut seen = HashSet::new();
        request
            .query_string()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| pair.split_once('=').map_or("", |(name, _)| name))
            // A change as of the past has an answer of its own.
            .all(|name| {
                let is_list = known.and_then(|known| known.get(name)).copied();
                (seen.insert(name) || is_list == Some(true)) && (name == "as_of" || is_list.is_some())
            })
    }
}

fn pretty(document: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(document).unwrap_or_default();
    text.push('\n');
    text
}

/// The document without a running service, as openapi/openapi.json holds it.
pub fn document() -> String {
    let config = config::Config {
        database_url: "postgresql://nowhere".to_owned(),
        connections: 1,
        public_url: "http://127.0.0.1".to_owned(),
        key: [0; 32],
        behind_proxy: false,
        demo: false,
        webhooks: webhooks::Settings::default(),
        import_limit: 200 << 20,
    };
    pretty(&app(Data::new(App::new(config))).1)
}
