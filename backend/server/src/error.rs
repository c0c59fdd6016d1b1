//! Everything a request can fail with, and how that looks on the wire (RFC 9457).

use crate::messages;
use actix_web::http::{StatusCode, header};
use actix_web::{HttpResponse, ResponseError};
use model::{DatabaseErrorKind, Error as DatabaseError};
use serde::Serialize;
use utoipa::ToSchema;
use validator::{ValidationErrors, ValidationErrorsKind};

pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything a request can fail with.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// 400: cannot be read (not JSON, not a cursor, a header that is missing or broken).
    #[error("bad request: {0}")]
    BadRequest(&'static str),
    /// 401
    #[error("unauthenticated")]
    Unauthenticated,
    /// 401 at sign-in: e-mail address or password are wrong.
    #[error("wrong credentials")]
    WrongCredentials,
    /// 403: the password that confirms an action is wrong.
    #[error("wrong password")]
    WrongPassword,
    /// 403
    #[error("forbidden")]
    Forbidden,
    /// 403: the role may, the token may not; the scope that it lacks.
    #[error("insufficient scope, `{0}` is missing")]
    InsufficientScope(String),
    /// 403: the system may not call from this address.
    #[error("address refused")]
    AddressRefused,
    /// 400, 401 or 403 of the OAuth endpoints.
    #[error("refused: {0:?}")]
    OAuth(Refusal),
    /// 403: a route for the service's own pages, called from elsewhere.
    #[error("foreign origin")]
    ForeignOrigin,
    /// 404: no such thing, or not the caller's to see.
    #[error("not found")]
    NotFound,
    /// 405
    #[error("method not allowed")]
    MethodNotAllowed,
    /// 409: breaks a rule that needs stored data. The code is the name of the constraint.
    #[error("conflicts with `{0}`")]
    Conflict(String),
    /// 409: what the caller has seen of it is not so any more; with what is.
    #[error("outdated: {0}")]
    Outdated(&'static str, Box<serde_json::Value>),
    /// 409: fields that contradict each other.
    #[error("fields contradict each other")]
    Contradiction(Vec<FieldError>),
    /// 410: what the reader has of these organisations is not enough to go on.
    #[error("resync required")]
    Resync(Box<Resync>),
    /// 412: somebody changed the record since it was read.
    #[error("stale version")]
    Stale(Box<Newer>),
    /// 413
    #[error("body too large")]
    TooLarge,
    /// 415
    #[error("unsupported media type")]
    UnsupportedMediaType,
    /// 422: the body is not what the schema says.
    #[error("invalid fields")]
    Invalid(Vec<FieldError>),
    /// 422: the idempotency key was used for another request.
    #[error("idempotency key reused")]
    KeyReused,
    /// 428: a change needs If-Match.
    #[error("precondition required")]
    PreconditionRequired,
    /// 429, with the seconds to wait.
    #[error("too many attempts")]
    TooMany(u64),
    /// 429: as many answers as can be are being sent; with the seconds to wait.
    #[error("busy sending")]
    Busy(u64),
    /// Nobody reads the answer any more.
    #[error("the reader has gone")]
    Gone,
    /// 503: busy or without its database; try again after these seconds.
    #[error("unavailable")]
    Unavailable(u64),
    /// 500: logged with its cause, answered without.
    #[error("internal error")]
    Internal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// The record as it is now, for a caller who holds an older version.
#[derive(Debug)]
pub struct Newer {
    pub current: serde_json::Value,
    pub etag: String,
    pub changed_by: Option<String>,
    pub changed_at: Option<chrono::DateTime<chrono::Utc>>,
}

/// The way back for a reader of the feed whose copy cannot be continued.
#[derive(Debug)]
pub struct Resync {
    pub organizations: Vec<uuid::Uuid>,
    pub after: crate::http::Cursor,
}

/// Why the OAuth endpoints refuse a system.
#[derive(Clone, Debug)]
pub struct Refusal {
    /// The code of RFC 6749 section 5.2 or RFC 7009 section 2.2.1.
    pub error: &'static str,
    /// Ours, which tells more.
    pub code: &'static str,
    /// For whoever writes the system.
    pub description: String,
}

impl Refusal {
    pub fn new(error: &'static str, code: &'static str, description: impl Into<String>) -> Self {
        Self {
            error,
            code,
            description: description.into(),
        }
    }

    pub fn status(&self) -> StatusCode {
        match (self.error, self.code) {
            ("invalid_client", _) => StatusCode::UNAUTHORIZED,
            (_, "address_refused") => StatusCode::FORBIDDEN,
            _ => StatusCode::BAD_REQUEST,
        }
    }
}

/// The body of an error of the OAuth endpoints: what RFC 6749 section 5.2 says, and what a problem says besides.
#[derive(Serialize, ToSchema)]
pub struct OAuthError {
    /// The code of RFC 6749.
    #[schema(example = "invalid_client")]
    pub error: &'static str,
    /// What is wrong, for whoever writes the system.
    #[schema(example = "client id, secret or signature are wrong")]
    pub error_description: String,
    /// What is wrong and what to do, in Japanese.
    #[schema(example = "連携システムのIDかシークレットが違います。設定を確かめてください。")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 401, minimum = 400, maximum = 499)]
    pub status: u16,
    /// Stable, for machines, and finer than `error`.
    #[schema(example = "client_refused")]
    pub code: &'static str,
    /// The request, as the log of the service names it.
    pub request_id: Option<uuid::Uuid>,
}

/// One field that is not as the schema says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// JSON pointer to the field.
    #[schema(example = "/name")]
    pub path: String,
    /// Stable, for machines.
    #[schema(example = "blank")]
    pub code: String,
    /// What is wrong and what to do, in Japanese.
    #[schema(example = "名称を入力してください。")]
    pub message: String,
}

/// RFC 9457 problem details: the body of every error.
#[derive(Debug, Serialize, ToSchema)]
pub struct Problem {
    /// Always `about:blank`: `code` tells problems apart.
    #[serde(rename = "type")]
    #[schema(example = "about:blank")]
    pub kind: &'static str,
    /// What is wrong and what to do, in Japanese.
    #[schema(example = "入力内容を確認してください。")]
    pub title: String,
    /// The HTTP status.
    #[schema(example = 422, minimum = 400, maximum = 599)]
    pub status: u16,
    /// Stable, for machines; the name of the constraint where a rule of the data was broken.
    #[schema(example = "invalid")]
    pub code: String,
    /// Fields that are wrong.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// With 410: forget the records of these organisations …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organizations: Option<Vec<uuid::Uuid>>,
    /// … and go on with this cursor; they come anew.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub after: Option<crate::http::Cursor>,
    /// With 412, and of a conflict in a batch: the record as it is now.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    pub current: Option<serde_json::Value>,
    /// … who changed it …
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_by: Option<String>,
    /// … and when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub changed_at: Option<chrono::DateTime<chrono::Utc>>,
    /// The request, as the log of the service names it; also the header `X-Request-Id` of every answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<uuid::Uuid>,
}

tokio::task_local! {
    /// The request that is being answered.
    pub static REQUEST_ID: uuid::Uuid;
}

impl Error {
    /// An unreachable state, or somebody else's failure: 500, and the cause goes to the log.
    pub fn internal(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Internal(cause.into())
    }

    /// One invalid field.
    pub fn field(path: &str, code: &str) -> Self {
        Self::Invalid(vec![FieldError {
            path: path.to_owned(),
            code: code.to_owned(),
            message: messages::field(path, code, None),
        }])
    }

    /// Stable, for machines.
    pub fn code(&self) -> &str {
        match self {
            Self::BadRequest(code) => code,
            Self::Unauthenticated => "unauthenticated",
            Self::WrongCredentials | Self::WrongPassword => "wrong_credentials",
            Self::Forbidden => "forbidden",
            Self::InsufficientScope(_) => "insufficient_scope",
            Self::AddressRefused => "address_refused",
            Self::OAuth(refusal) => refusal.code,
            Self::ForeignOrigin => "origin_refused",
            Self::NotFound => "not_found",
            Self::MethodNotAllowed => "method_not_allowed",
            Self::Conflict(constraint) => constraint,
            Self::Outdated(code, _) => code,
            Self::Contradiction(errors) => errors.first().map_or("contradiction", |e| &e.code),
            Self::Resync(_) => "resync_required",
            Self::Stale(_) => "stale",
            Self::TooLarge => "too_large",
            Self::UnsupportedMediaType => "unsupported_media_type",
            Self::Invalid(_) => "invalid",
            Self::KeyReused => "idempotency_key_reused",
            Self::PreconditionRequired => "precondition_required",
            Self::TooMany(_) => "too_many_attempts",
            Self::Busy(_) => "too_many_downloads",
            Self::Unavailable(_) => "unavailable",
            Self::Gone | Self::Internal(_) => "internal",
        }
    }
}

impl Error {
    /// The problem as it is told.
    pub fn problem(&self) -> Problem {
        let status = self.status_code().as_u16();
        let mut problem = Problem {
            kind: "about:blank",
            title: messages::title(self.code(), status),
            status,
            code: self.code().to_owned(),
            errors: Vec::new(),
            organizations: None,
            after: None,
            current: None,
            changed_by: None,
            changed_at: None,
            request_id: None,
        };
        match self {
            Self::Invalid(errors) | Self::Contradiction(errors) => problem.errors.clone_from(errors),
            Self::Outdated(_, current) => problem.current = Some(*current.clone()),
            Self::Resync(resync) => {
                problem.organizations = Some(resync.organizations.clone());
                problem.after = Some(resync.after.clone());
            }
            Self::Stale(newer) => {
                problem.current = Some(newer.current.clone());
                problem.changed_by.clone_from(&newer.changed_by);
                problem.changed_at = newer.changed_at;
            }
            _ => {}
        }
        problem
    }
}

impl ResponseError for Error {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthenticated | Self::WrongCredentials => StatusCode::UNAUTHORIZED,
            Self::Forbidden
            | Self::InsufficientScope(_)
            | Self::AddressRefused
            | Self::WrongPassword
            | Self::ForeignOrigin => StatusCode::FORBIDDEN,
            Self::OAuth(refusal) => refusal.status(),
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::Conflict(_) | Self::Outdated(..) | Self::Contradiction(_) => StatusCode::CONFLICT,
            Self::Resync(_) => StatusCode::GONE,
            Self::Stale(_) => StatusCode::PRECONDITION_FAILED,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Invalid(_) | Self::KeyReused => StatusCode::UNPROCESSABLE_ENTITY,
            Self::PreconditionRequired => StatusCode::PRECONDITION_REQUIRED,
            Self::TooMany(_) | Self::Busy(_) => StatusCode::TOO_MANY_REQUESTS,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
            Self::Gone | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        if let Self::Internal(cause) = self {
            tracing::error!(cause = %Chain(cause.as_ref()), "request failed");
        }
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::Stale(newer) => {
                response.insert_header((header::ETAG, newer.etag.clone()));
            }
            Self::TooMany(seconds) | Self::Busy(seconds) | Self::Unavailable(seconds) => {
                response.insert_header((header::RETRY_AFTER, seconds.to_string()));
            }
            Self::Unauthenticated => {
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            // RFC 6750 section 3.1
            Self::InsufficientScope(scope) => {
                let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
                response.insert_header((header::WWW_AUTHENTICATE, challenge));
            }
            Self::OAuth(refusal) => {
                let status = refusal.status();
                if status == StatusCode::UNAUTHORIZED {
                    response.insert_header((header::WWW_AUTHENTICATE, "Basic realm=\"tsunagi\""));
                }
                return response.json(OAuthError {
                    error: refusal.error,
                    error_description: refusal.description.clone(),
                    title: messages::title(refusal.code, status.as_u16()),
                    status: status.as_u16(),
                    code: refusal.code,
                    request_id: REQUEST_ID.try_get().ok(),
                });
            }
            _ => {}
        }
        let mut problem = self.problem();
        problem.request_id = REQUEST_ID.try_get().ok();
        response.content_type("application/problem+json").json(problem)
    }
}

/// An error with its causes, for the log.
struct Chain<'a>(&'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(inner) = cause {
            write!(f, ": {inner}")?;
            cause = inner.source();
        }
        Ok(())
    }
}

impl From<DatabaseError> for Error {
    fn from(error: DatabaseError) -> Self {
        use DatabaseErrorKind as Kind;
        let DatabaseError::DatabaseError(kind, info) = &error else {
            return match error {
                DatabaseError::NotFound => Self::NotFound,
                other => Self::internal(other),
            };
        };
        let constraint = info.constraint_name().map(str::to_owned);
        match (kind, constraint) {
            (_, Some(name)) if name == "idempotency_keys_pkey" => Self::Conflict("idempotency_in_progress".to_owned()),
            (
                Kind::UniqueViolation
                | Kind::ForeignKeyViolation
                | Kind::RestrictViolation
                | Kind::CheckViolation
                | Kind::ExclusionViolation,
                Some(name),
            ) => Self::Conflict(name),
            // PostgreSQL ends, starts, or is a standby for the moment.
            (Kind::UnableToSendCommand | Kind::ClosedConnection | Kind::ReadOnlyTransaction, _) => {
                unavailable(info.message())
            }
            _ if ["terminating connection", "the database system is"]
                .iter()
                .any(|m| info.message().starts_with(m)) =>
            {
                unavailable(info.message())
            }
            _ if info.message() == model::caller::ENDED => Self::Unauthenticated,
            _ if info.message().contains("row-level security")
                || info.message() == "the column is entered by its organisation" =>
            {
                Self::Forbidden
            }
            _ if info.message().contains("lock timeout") => Self::Conflict("idempotency_in_progress".to_owned()),
            _ if info.message().contains("statement timeout") => Self::Unavailable(5),
            // Two waited for each other; this one was given up and can be sent again.
            _ if info.message() == "deadlock detected" => unavailable(info.message()),
            _ => Self::internal(error),
        }
    }
}

impl From<model::PoolError> for Error {
    fn from(error: model::PoolError) -> Self {
        unavailable(&error.to_string())
    }
}

/// The database cannot be used for a moment.
fn unavailable(error: &str) -> Error {
    tracing::warn!(error, "no database");
    Error::Unavailable(1)
}

impl From<ValidationErrors> for Error {
    fn from(errors: ValidationErrors) -> Self {
        let (mut fields, mut contradictions) = (Vec::new(), Vec::new());
        flatten(&errors, "", &mut fields, &mut contradictions);
        if fields.is_empty() {
            Self::Contradiction(contradictions)
        } else {
            Self::Invalid(fields)
        }
    }
}

/// Turns validator's tree into paths and Japanese messages; the rejected values stay behind.
fn flatten(errors: &ValidationErrors, path: &str, fields: &mut Vec<FieldError>, contradictions: &mut Vec<FieldError>) {
    for (name, kind) in errors.errors() {
        // "" is a value as a whole, "__all__" a rule between fields (which the schema cannot say: 409).
        let here = if name.is_empty() || name == "__all__" {
            path.to_owned()
        } else {
            format!("{path}/{name}")
        };
        match kind {
            ValidationErrorsKind::Field(list) => {
                let into = if name == "__all__" {
                    &mut *contradictions
                } else {
                    &mut *fields
                };
                into.extend(list.iter().map(|e| FieldError {
                    path: here.clone(),
                    code: e.code.to_string(),
                    message: messages::field(&here, &e.code, Some(&e.params)),
                }));
            }
            ValidationErrorsKind::Struct(inner) => flatten(inner, &here, fields, contradictions),
            ValidationErrorsKind::List(items) => {
                for (index, inner) in items {
                    flatten(inner, &format!("{here}/{index}"), fields, contradictions);
                }
            }
        }
    }
}

/// Which errors an operation has follows from its path and method: see [`crate::openapi`].
impl utoipa::IntoResponses for Error {
    fn responses() -> std::collections::BTreeMap<String, utoipa::openapi::RefOr<utoipa::openapi::Response>> {
        std::collections::BTreeMap::new()
    }
}
