//! Bodies in, answers out. utoipa reads the *names* of these types from a handler's signature, which is why ours are
//! called `Json` and `Query` like the ones they replace.

use crate::error::{Error, FieldError, Newer, Result};
use crate::messages;
use crate::strict::Strict;
use actix_web::body::BoxBody;
use actix_web::dev::Payload;
use actix_web::http::{StatusCode, header};
use actix_web::web::{Bytes, BytesMut};
use actix_web::{FromRequest, HttpRequest, HttpResponse, Responder};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use futures_util::StreamExt;
use futures_util::future::LocalBoxFuture;
use model::history::Entity;
use model::idempotency;
use serde::de::{DeserializeOwned, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::marker::PhantomData;
use std::ops::Deref;
use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::schema::{KnownFormat, SchemaFormat};
use utoipa::openapi::{ContentBuilder, ObjectBuilder, Ref, RefOr, Response, ResponseBuilder, Type};
use utoipa::{IntoResponses, ToSchema};
use uuid::Uuid;
use validator::Validate;

/// Largest body of an ordinary request, in bytes.
pub const BODY_LIMIT: usize = 1 << 20;

/// A JSON body: as a parameter read and well-formed, but not yet looked at; see [`crate::access::Tx::valid`].
pub struct Json<T, const LIMIT: usize = BODY_LIMIT> {
    bytes: Bytes,
    _type: PhantomData<T>,
}

impl<T, const LIMIT: usize> Json<T, LIMIT> {
    /// The body as it came, for the idempotency hash.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

impl<T: DeserializeOwned + Validate, const LIMIT: usize> Json<T, LIMIT> {
    pub(crate) fn parse(&self) -> Result<T> {
        valid(&mut serde_json::Deserializer::from_slice(&self.bytes))
    }
}

impl<F: DeserializeOwned + Validate + Serialize> Json<Patch<F>> {
    /// JSON merge patch (RFC 7396): an absent member leaves, `null` clears.
    pub fn patched(&self, current: &F) -> Result<F> {
        let patch: Value = serde_json::from_slice(&self.bytes).map_err(|_| Error::BadRequest("malformed_json"))?;
        if !patch.is_object() {
            return Err(Error::field("", "wrong_type"));
        }
        let mut merged = serde_json::to_value(current).map_err(Error::internal)?;
        // Merging drops what is cleared, so a field that does not exist would not be noticed later.
        if let Some(unknown) = fields_of(&patch).find(|name| merged.get(name).is_none()) {
            return Err(Error::field(&format!("/{unknown}"), "unknown_field"));
        }
        merge(&mut merged, patch.clone());
        valid(merged).map_err(|error| match error {
            // The patch is as the schema says; what is stored does not have the rest.
            Error::Invalid(errors) if errors.iter().all(|e| is_left_out(e, &patch)) => Error::Contradiction(errors),
            other => other,
        })
    }
}

/// Is it a member of an object that the patch has without this member?
fn is_left_out(error: &FieldError, patch: &Value) -> bool {
    let Some((parents, member)) = error.path.rsplit_once('/') else {
        return false;
    };
    let mut parents = parents.split('/').skip(1);
    let object = parents.try_fold(patch, |value, name| value.as_object()?.get(name));
    error.code == "missing"
        && object
            .and_then(Value::as_object)
            .is_some_and(|o| !o.contains_key(member))
}

fn fields_of(object: &Value) -> impl Iterator<Item = &String> {
    object.as_object().into_iter().flat_map(|fields| fields.keys())
}

fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(serde_json::Map::new());
    }
    let Value::Object(target) = target else {
        return;
    };
    for (name, value) in patch {
        if value.is_null() {
            target.remove(&name);
        } else {
            merge(target.entry(name).or_insert(Value::Null), value);
        }
    }
}

/// Reads and validates, naming the field that is wrong.
pub fn valid<'de, T: DeserializeOwned + Validate, D: serde::Deserializer<'de>>(deserializer: D) -> Result<T>
where
    D::Error: std::fmt::Display,
{
    let value: T = serde_path_to_error::deserialize(Strict(deserializer))
        .map_err(|e| shape_error(&e.path().to_string(), &e.inner().to_string()))?;
    value.validate()?;
    Ok(value)
}

/// Says in Japanese what serde says in English, without the rejected value.
fn shape_error(path: &str, message: &str) -> Error {
    let pointer: String = if path == "." {
        String::new()
    } else {
        path.split(['.', '['])
            .filter(|s| !s.is_empty())
            .map(|s| format!("/{}", s.trim_end_matches(']')))
            .collect()
    };
    let named = |prefix: &str| message.strip_prefix(prefix).and_then(|rest| rest.split('`').next());
    let choices = message.strip_prefix("unknown variant `").and_then(|rest| {
        let (_, choices) = rest.rsplit_once("expected ")?;
        let choices = choices
            .trim_start_matches("one of ")
            .replace('`', "")
            .replace(", ", "、");
        Some(HashMap::from([(Cow::Borrowed("choices"), Value::String(choices))]))
    });
    let (pointer, code) = if let Some(field) = named("missing field `") {
        (format!("{pointer}/{field}"), "missing")
    } else if let Some(field) = named("unknown field `") {
        let known = pointer.ends_with(&format!("/{field}"));
        (
            if known { pointer } else { format!("{pointer}/{field}") },
            "unknown_field",
        )
    } else if choices.is_some() {
        (pointer, "unknown_choice")
    } else {
        (pointer, "wrong_type")
    };
    Error::Invalid(vec![FieldError {
        message: messages::field(&pointer, code, choices.as_ref()),
        code: code.to_owned(),
        path: pointer,
    }])
}

/// The body, unless it is larger than `limit`.
async fn body(mut payload: Payload, limit: usize) -> Result<Bytes> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| Error::BadRequest("malformed_json"))?;
        if body.len() + chunk.len() > limit {
            return Err(Error::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// What is packed could unpack to anything, so nothing is unpacked.
fn is_packed(request: &HttpRequest) -> bool {
    request.headers().contains_key(header::CONTENT_ENCODING)
}

impl<T: 'static, const LIMIT: usize> FromRequest for Json<T, LIMIT> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let media_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|v| v.to_str().ok())
            .unwrap_or_default();
        let media_type = media_type.split(';').next().unwrap_or_default().trim();
        let readable = media_type.eq_ignore_ascii_case("application/json")
            || media_type.eq_ignore_ascii_case("application/merge-patch+json");
        let readable = readable && !is_packed(request);
        let payload = payload.take();
        Box::pin(async move {
            if !readable {
                return Err(Error::UnsupportedMediaType);
            }
            let bytes = body(payload, LIMIT).await?;
            serde_json::from_slice::<WellFormed>(&bytes).map_err(|_| Error::BadRequest("malformed_json"))?;
            Ok(Self {
                bytes,
                _type: PhantomData,
            })
        })
    }
}

/// A body of any bytes.
pub struct Octets<const LIMIT: usize>(Bytes);

impl<const LIMIT: usize> Octets<LIMIT> {
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl<const LIMIT: usize> FromRequest for Octets<LIMIT> {
    type Error = Error;
    type Future = LocalBoxFuture<'static, Result<Self>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let headers = request.headers();
        let is =
            |name: header::HeaderName, value: &str| headers.get(name).is_some_and(|v| v.as_bytes() == value.as_bytes());
        let readable = is(header::CONTENT_TYPE, "application/octet-stream") && !is_packed(request);
        let payload = payload.take();
        Box::pin(async move {
            if readable {
                Ok(Self(body(payload, LIMIT).await?))
            } else {
                Err(Error::UnsupportedMediaType)
            }
        })
    }
}

/// Any JSON, looked at and left: well-formed, in UTF-8, and not nested beyond serde_json's limit of 128 (which `IgnoredAny`
/// does not know), before any database work.
struct WellFormed;

impl<'de> Deserialize<'de> for WellFormed {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Look;
        impl<'de> Visitor<'de> for Look {
            type Value = WellFormed;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }
            fn visit_bool<E>(self, _: bool) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }
            fn visit_i64<E>(self, _: i64) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }
            fn visit_u64<E>(self, _: u64) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }
            fn visit_f64<E>(self, _: f64) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }
            fn visit_str<E>(self, _: &str) -> Result<WellFormed, E> {
                Ok(WellFormed)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<WellFormed, A::Error> {
                while items.next_element::<WellFormed>()?.is_some() {}
                Ok(WellFormed)
            }
            fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<WellFormed, A::Error> {
                while members.next_entry::<WellFormed, WellFormed>()?.is_some() {}
                Ok(WellFormed)
            }
        }
        deserializer.deserialize_any(Look)
    }
}

/// The body of a merge patch of `F`: every field may be absent. The OpenAPI document shows `F` without `required`.
#[derive(ToSchema)]
#[allow(dead_code, reason = "only its schema is used")]
pub struct Patch<F>(F);

/// A query string, validated. `as_of` is taken by [`crate::access::Access`] for every read.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Validate> FromRequest for Query<T> {
    type Error = Error;
    type Future = std::future::Ready<Result<Self>>;

    #[expect(clippy::disallowed_types, reason = "this is the one place that wraps it")]
    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let mut query: Vec<(&str, String)> = Vec::new();
        let pairs = request.query_string().split('&');
        for pair in pairs.filter(|pair| !pair.is_empty() && !pair.starts_with("as_of=")) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // A list, which may come as several parameters too; of others there is one.
            match query.iter_mut().find(|(other, _)| *other == name) {
                Some((_, values)) => *values = format!("{values},{value}"),
                None => query.push((name, value.to_owned())),
            }
        }
        let query: Vec<String> = query
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let parsed =
            actix_web::web::Query::<T>::from_query(&query.join("&")).map_err(|_| Error::BadRequest("bad_query"));
        std::future::ready(parsed.and_then(|query| {
            let query = query.into_inner();
            query.validate()?;
            Ok(Self(query))
        }))
    }
}

/// A list in a query: values with commas between them, or one parameter each.
pub struct Many<T>(pub Vec<T>);

impl<T> Default for Many<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Many<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let value = |text: &str| T::deserialize(serde::de::value::StrDeserializer::new(text));
        // An empty list asks for nothing in particular.
        let texts = text.split(',').filter(|_| !text.is_empty());
        texts.map(value).collect::<Result<_, _>>().map(Self)
    }
}

impl<T: Validate> Validate for Many<T> {
    fn validate(&self) -> Result<(), validator::ValidationErrors> {
        self.0.iter().try_for_each(Validate::validate)
    }
}

/// Where the next page begins: opaque to clients, the sort key to us.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = String, example = "WzAsIjAxOTM2ZDNlIl0")]
pub struct Cursor(String);

impl Cursor {
    pub fn new<K: Serialize>(key: &K) -> Self {
        Self::of_bytes(&serde_json::to_vec(key).expect("keys are plain values"))
    }

    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(BASE64.encode(bytes))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    pub fn bytes(&self) -> Option<Vec<u8>> {
        BASE64.decode(&self.0).ok()
    }

    pub fn key<K: DeserializeOwned>(&self) -> Result<K> {
        let key = self.bytes().and_then(|bytes| String::from_utf8(bytes).ok());
        // No key of ours has a NUL, which PostgreSQL's text does not know.
        key.filter(|key| !key.contains("\\u0000"))
            .and_then(|key| serde_json::from_str(&key).ok())
            .ok_or(Error::BadRequest("bad_cursor"))
    }
}

impl From<String> for Cursor {
    fn from(text: String) -> Self {
        Self(text)
    }
}

/// The key of an optional cursor.
pub fn after<K: DeserializeOwned>(cursor: Option<&Cursor>) -> Result<Option<K>> {
    cursor.map(Cursor::key).transpose()
}

/// Rows of a page when the caller does not say.
pub fn default_limit() -> i64 {
    50
}

/// `200 OK` with one page of a list, and the cursor of the next one.
#[derive(Serialize, ToSchema)]
pub struct Page<T> {
    /// The rows, in the declared order.
    pub items: Vec<T>,
    /// `after` of the next page; null on the last one.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of rows that were read with one more than `limit`, to know whether there is a next page.
    pub fn new<K: Serialize>(mut items: Vec<T>, limit: i64, key: impl Fn(&T) -> K) -> Self {
        let limit = usize::try_from(limit).unwrap_or(0);
        let next = (items.len() > limit).then(|| {
            items.truncate(limit);
            items.last().map(|last| Cursor::new(&key(last)).0)
        });
        Self {
            items,
            next: next.flatten(),
        }
    }
}

impl<T: Serialize> Responder for Page<T> {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().json(self)
    }
}

/// `200 OK` with a value that has no version of its own.
pub struct Plain<T>(pub T);

impl<T: Serialize> Responder for Plain<T> {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok().json(self.0)
    }
}

/// The entity tag of a version.
pub fn etag(version: i64) -> String {
    format!("\"v{version}\"")
}

/// A record as it was read: `200 OK` with its ETag, or `304` to somebody who has it.
pub struct Tagged<T>(pub T);

impl<T: crate::access::Record> Responder for Tagged<T> {
    type Body = BoxBody;
    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        tagged(request, etag(self.0.version()), &self.0)
    }
}

fn tagged(request: &HttpRequest, tag: String, record: &impl Serialize) -> HttpResponse {
    let known = request
        .headers()
        .get(header::IF_NONE_MATCH)
        .and_then(|v| v.to_str().ok());
    if known.is_some_and(|known| known.split(',').any(|k| k.trim() == tag))
        && !request.query_string().contains("as_of=")
    {
        return HttpResponse::NotModified().insert_header((header::ETAG, tag)).finish();
    }
    HttpResponse::Ok().insert_header((header::ETAG, tag)).json(record)
}

/// A record of a kind that only the request names, as the operations of its kind show and take it.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(transparent)]
#[schema(value_type = Object)]
pub struct AnyRecord(pub serde_json::Map<String, Value>);

/// What the kind wants of it, whoever writes it finds out.
impl Validate for AnyRecord {
    fn validate(&self) -> Result<(), validator::ValidationErrors> {
        Ok(())
    }
}

/// Such a record as it was read: `200 OK` with its ETag, or `304`.
pub struct Shown(pub Newer);

impl Responder for Shown {
    type Body = BoxBody;
    fn respond_to(self, request: &HttpRequest) -> HttpResponse {
        tagged(request, self.0.etag, &self.0.current)
    }
}

/// A record with parts that change without its version (current values): `200 OK` with its ETag for a change, never `304`.
pub struct Fresh<T>(pub T);

impl<T: crate::access::Record> Responder for Fresh<T> {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        HttpResponse::Ok()
            .insert_header((header::ETAG, etag(self.0.version())))
            .json(self.0)
    }
}

/// What a write can answer with.
pub trait Answer: IntoResponses {
    fn status(&self) -> StatusCode;
    fn headers(&self) -> Vec<(header::HeaderName, String)>;
    fn body(&self) -> Result<String>;
    /// What a retry with the same idempotency key gets, and the database therefore keeps.
    fn kept(&self) -> Result<String> {
        self.body()
    }
}

/// `201 Created` with the new record, its address and ETag.
pub struct Created<T>(pub T);
/// `200 OK` with the changed record and its ETag.
pub struct Updated<T>(pub T);
/// `201 Created` or `200 OK` with a record of a kind that only the request names.
pub struct Put {
    pub resource: Entity,
    pub id: Uuid,
    pub created: bool,
    pub record: Newer,
}
/// `204 No Content`.
pub struct NoContent;
/// `200 OK` of an action that is not a record.
pub struct Done<T>(pub T);
/// `201 Created` of a secret that is shown once: neither the database nor a retry gets to see it.
pub struct Issued<T>(pub T);

/// What is answered with a secret.
pub trait Secret: Serialize + ToSchema {
    /// The same without the secret.
    fn withheld(&self) -> Self;
}

impl<T: Secret> Answer for Issued<T> {
    fn status(&self) -> StatusCode {
        StatusCode::CREATED
    }
    fn headers(&self) -> Vec<(header::HeaderName, String)> {
        Vec::new()
    }
    fn body(&self) -> Result<String> {
        serde_json::to_string(&self.0).map_err(Error::internal)
    }
    fn kept(&self) -> Result<String> {
        serde_json::to_string(&self.0.withheld()).map_err(Error::internal)
    }
}

impl<T: crate::access::Record + ToSchema> Answer for Created<T> {
    fn status(&self) -> StatusCode {
        StatusCode::CREATED
    }
    fn headers(&self) -> Vec<(header::HeaderName, String)> {
        let location = format!("/api/v1/{}/{}", T::ENTITY.replace('_', "-"), self.0.id());
        vec![(header::ETAG, etag(self.0.version())), (header::LOCATION, location)]
    }
    fn body(&self) -> Result<String> {
        serde_json::to_string(&self.0).map_err(Error::internal)
    }
}

impl<T: crate::access::Record + ToSchema> Answer for Updated<T> {
    fn status(&self) -> StatusCode {
        StatusCode::OK
    }
    fn headers(&self) -> Vec<(header::HeaderName, String)> {
        vec![(header::ETAG, etag(self.0.version()))]
    }
    fn body(&self) -> Result<String> {
        serde_json::to_string(&self.0).map_err(Error::internal)
    }
}

impl Answer for Put {
    fn status(&self) -> StatusCode {
        if self.created {
            StatusCode::CREATED
        } else {
            StatusCode::OK
        }
    }
    fn headers(&self) -> Vec<(header::HeaderName, String)> {
        let location = format!("/api/v1/{}/{}", self.resource.as_str().replace('_', "-"), self.id);
        let mut headers = vec![(header::ETAG, self.record.etag.clone())];
        headers.extend(self.created.then_some((header::LOCATION, location)));
        headers
    }
    fn body(&self) -> Result<String> {
        serde_json::to_string(&self.record.current).map_err(Error::internal)
    }
}

impl Answer for NoContent {
    fn status(&self) -> StatusCode {
        StatusCode::NO_CONTENT
    }
    fn headers(&self) -> Vec<(header::HeaderName, String)> {
        Vec::new()
    }
    fn body(&self) -> Result<String> {
        Ok(String::new())
    }
}

impl<T: Serialize + ToSchema> Answer for Done<T> {
    fn status(&self) -> StatusCode {
        StatusCode::OK
    }
    fn headers(&self) -> Vec<(header::HeaderName, String)> {
        Vec::new()
    }
    fn body(&self) -> Result<String> {
        serde_json::to_string(&self.0).map_err(Error::internal)
    }
}

/// The answer of a committed transaction. Only [`crate::access::Access::write`] makes one.
pub struct Committed<T> {
    status: StatusCode,
    headers: BTreeMap<String, String>,
    body: String,
    _type: PhantomData<T>,
}

impl<T: Answer> Committed<T> {
    pub(crate) fn new(answer: &T) -> Result<Self> {
        let headers = answer
            .headers()
            .into_iter()
            .map(|(name, value)| (name.to_string(), value))
            .collect();
        Ok(Self {
            status: answer.status(),
            headers,
            body: answer.body()?,
            _type: PhantomData,
        })
    }

    pub(crate) fn keep(
        &self,
        answer: &T,
        actor_id: Uuid,
        key: &str,
        request_hash: Vec<u8>,
    ) -> Result<idempotency::Answer> {
        Ok(idempotency::Answer {
            actor_id,
            key: key.to_owned(),
            request_hash,
            status: i16::try_from(self.status.as_u16()).expect("a status has three digits"),
            headers: serde_json::json!(self.headers),
            body: answer.kept()?,
        })
    }

    pub(crate) fn replay(answer: idempotency::Answer) -> Self {
        let mut headers: BTreeMap<String, String> = serde_json::from_value(answer.headers).unwrap_or_default();
        headers.insert("idempotency-replayed".to_owned(), "true".to_owned());
        let status = u16::try_from(answer.status)
            .ok()
            .and_then(|s| StatusCode::from_u16(s).ok())
            .unwrap_or(StatusCode::OK);
        Self {
            status,
            headers,
            body: answer.body,
            _type: PhantomData,
        }
    }
}

impl<T> Responder for Committed<T> {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        let mut response = HttpResponse::build(self.status);
        for (name, value) in &self.headers {
            response.insert_header((name.as_str(), value.as_str()));
        }
        if self.body.is_empty() {
            response.finish()
        } else {
            response.content_type("application/json").body(self.body)
        }
    }
}

/// An answer made by hand (cookies, other media types) that the document describes as a `T`.
pub struct Handmade<T>(pub HttpResponse, PhantomData<T>);

impl<T> From<HttpResponse> for Handmade<T> {
    fn from(response: HttpResponse) -> Self {
        Self(response, PhantomData)
    }
}

impl<T> Responder for Handmade<T> {
    type Body = BoxBody;
    fn respond_to(self, _: &HttpRequest) -> HttpResponse {
        self.0
    }
}

/// An answer that can also be had as CSV.
pub struct OrCsv<T>(PhantomData<T>);

impl<T: IntoResponses> IntoResponses for OrCsv<T> {
    fn responses() -> Responses {
        let mut responses = T::responses();
        for response in responses.values_mut() {
            if let RefOr::T(response) = response {
                let text = ObjectBuilder::new().schema_type(Type::String).build();
                let content = ContentBuilder::new().schema(Some(text)).build();
                response.content.insert("text/csv".to_owned(), content.into());
            }
        }
        responses
    }
}

/// Form of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    Json,
    Csv,
}

/// Is the answer to be CSV? What the query says counts more than what the header accepts.
pub fn wants_csv(request: &HttpRequest, format: Option<Format>) -> bool {
    let accept = request.headers().get(header::ACCEPT).and_then(|v| v.to_str().ok());
    format.map_or(accept.unwrap_or_default().starts_with("text/csv"), |format| {
        format == Format::Csv
    })
}

/// A file of a table.
pub struct Table;

impl Table {
    pub const XLSX: &'static str = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet";
}

impl IntoResponses for Table {
    fn responses() -> Responses {
        let content = |binary: bool| {
            let format = binary.then_some(SchemaFormat::KnownFormat(KnownFormat::Binary));
            let schema = ObjectBuilder::new().schema_type(Type::String).format(format).build();
            ContentBuilder::new().schema(Some(schema)).build()
        };
        let response = ResponseBuilder::new()
            .description("The file.")
            .content("text/csv", content(false))
            .content(Self::XLSX, content(true));
        Responses::from([("200".to_owned(), response.build().into())])
    }
}

impl<T: IntoResponses> IntoResponses for Handmade<T> {
    fn responses() -> Responses {
        T::responses()
    }
}

// What follows tells utoipa which response a return type stands for.

pub type Responses = BTreeMap<String, RefOr<Response>>;

/// The extension in which a response carries its schemas to [`crate::openapi`].
pub const SCHEMAS: &str = "x-schemas";

pub fn json_response<T: ToSchema>(
    status: &str,
    description: &str,
    name: String,
    headers: &[(&str, &str)],
) -> Responses {
    let mut schemas = Vec::new();
    T::schemas(&mut schemas);
    let mut schemas: BTreeMap<_, _> = schemas.into_iter().collect();
    schemas.insert(name.clone(), T::schema());
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name(name))).build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content("application/json", content)
        .extensions(Some(
            ExtensionsBuilder::new()
                .add(SCHEMAS, serde_json::json!(schemas))
                .build(),
        ));
    for (name, description) in headers {
        let schema = ObjectBuilder::new().schema_type(Type::String).build();
        response = response.header(
            *name,
            HeaderBuilder::new()
                .schema(Some(schema))
                .description(Some(*description))
                .build(),
        );
    }
    Responses::from([(status.to_owned(), response.build().into())])
}

const ETAG: (&str, &str) = ("ETag", "Version of the record, for If-Match.");
const LOCATION: (&str, &str) = ("Location", "Address of the new record.");

impl<T: ToSchema> IntoResponses for Tagged<T> {
    fn responses() -> Responses {
        json_response::<T>("200", "The record.", T::name().into(), &[ETAG])
    }
}

impl IntoResponses for Shown {
    fn responses() -> Responses {
        json_response::<AnyRecord>("200", "The record.", AnyRecord::name().into(), &[ETAG])
    }
}

impl IntoResponses for Put {
    fn responses() -> Responses {
        let name = || AnyRecord::name().into();
        let mut responses = json_response::<AnyRecord>("201", "The new record.", name(), &[ETAG, LOCATION]);
        responses.extend(json_response::<AnyRecord>(
            "200",
            "The record after the change.",
            name(),
            &[ETAG],
        ));
        responses
    }
}

impl<T: ToSchema> IntoResponses for Fresh<T> {
    fn responses() -> Responses {
        json_response::<T>("200", "The record.", T::name().into(), &[ETAG])
    }
}

impl<T: ToSchema> IntoResponses for Plain<T> {
    fn responses() -> Responses {
        json_response::<T>("200", "The answer.", T::name().into(), &[])
    }
}

impl<T: ToSchema> IntoResponses for Done<T> {
    fn responses() -> Responses {
        json_response::<T>("200", "Done.", T::name().into(), &[])
    }
}

impl<T: ToSchema> IntoResponses for Issued<T> {
    fn responses() -> Responses {
        json_response::<T>("201", "The secret, shown this once.", T::name().into(), &[])
    }
}

impl<T: ToSchema> IntoResponses for Created<T> {
    fn responses() -> Responses {
        json_response::<T>("201", "The new record.", T::name().into(), &[ETAG, LOCATION])
    }
}

impl<T: ToSchema> IntoResponses for Updated<T> {
    fn responses() -> Responses {
        json_response::<T>("200", "The record after the change.", T::name().into(), &[ETAG])
    }
}

impl<T: ToSchema> IntoResponses for Page<T> {
    fn responses() -> Responses {
        let mut responses = json_response::<Page<T>>("200", "One page of the list.", format!("{}Page", T::name()), &[]);
        // utoipa names the row's schema but does not bring it.
        for response in responses.values_mut() {
            if let RefOr::T(response) = response
                && let Some(carried) = response.extensions.as_mut().and_then(|e| e.get_mut(SCHEMAS))
            {
                carried[T::name().as_ref()] = serde_json::json!(T::schema());
            }
        }
        responses
    }
}

impl IntoResponses for NoContent {
    fn responses() -> Responses {
        Responses::from([("204".to_owned(), Response::new("Done; nothing to say.").into())])
    }
}

impl<T: IntoResponses> IntoResponses for Committed<T> {
    fn responses() -> Responses {
        T::responses()
    }
}

impl<T> Deref for Plain<T> {
    type Target = T;
    fn deref(&self) -> &T {
        &self.0
    }
}
