//! Texts at the border. Each type carries its rule once: the validator and the OpenAPI schema read the same constants.

use diesel_derive_newtype::DieselNewType;
use ipnet::IpNet;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::net::IpAddr;
use utoipa::openapi::schema::{ObjectBuilder, SchemaFormat, SchemaType, Type};
use utoipa::openapi::{RefOr, Schema};
use utoipa::{PartialSchema, ToSchema};
use validator::{Validate, ValidationError, ValidationErrors};

/// A validation failure of a value as a whole (its field is named by whoever holds it).
pub fn invalid(code: &'static str) -> ValidationErrors {
    let mut errors = ValidationErrors::new();
    errors.add("", ValidationError::new(code));
    errors
}

/// Schema of a string with a pattern, an example and a description.
pub fn string_schema(description: &str, pattern: &str, max: usize, example: &str) -> RefOr<Schema> {
    ObjectBuilder::new()
        .schema_type(SchemaType::Type(Type::String))
        .description(Some(description))
        .pattern(Some(pattern))
        .max_length(Some(max))
        .examples([example])
        .build()
        .into()
}

/// Names of formats whose rule a pattern cannot express (check digits); property tests register a generator for each.
fn format_of(name: &str) -> Option<SchemaFormat> {
    let format = match name {
        "MunicipalityCode" => "local-government-code",
        "CorporateNumber" => "corporate-number",
        "Network" => "network",
        "WebhookUrl" => "webhook-url",
        _ => return None,
    };
    Some(SchemaFormat::Custom(format.to_owned()))
}

macro_rules! texts {
    ($($(#[doc = $doc:literal])+ $name:ident($max:literal, $pattern:literal, $example:literal, $rule:expr);)+) => {$(
        $(#[doc = $doc])+
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, DieselNewType)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// Longest text, in characters.
            pub const MAX: usize = $max;
        }

        impl Validate for $name {
            fn validate(&self) -> Result<(), ValidationErrors> {
                if self.0.chars().count() > $max {
                    return Err(invalid("too_long"));
                }
                let rule: fn(&str) -> Result<(), &'static str> = $rule;
                rule(&self.0).map_err(invalid)
            }
        }

        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let mut schema = string_schema(concat!($($doc),+).trim(), $pattern, $max, $example);
                if let RefOr::T(Schema::Object(object)) = &mut schema {
                    object.format = format_of(stringify!($name));
                    // A format says by itself how long its texts are.
                    object.max_length = object.max_length.filter(|_| object.format.is_none());
                }
                schema
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }

        impl std::ops::Deref for $name {
            type Target = str;
            fn deref(&self) -> &str {
                &self.0
            }
        }
    )+};
}

texts! {
    /// A name or heading on one line, not blank, at most 300 characters.
    Name(300, r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$", "麒麟のまち孤独・孤立対策官民連携PF", |s| {
        one_line(s)?;
        not_blank(s)
    });
    /// Text on one line, at most 1,000 characters.
    Line(1000, r"^[^\x00-\x1f\x7f]*$", "令和4年度 ※広域は令和6年度", one_line);
    /// Text of several lines (line feed, no other control character), at most 20,000 characters.
    Prose(20000, r"^[^\x00-\x09\x0b-\x1f\x7f]*$", "各町における理解促進を進める。", prose);
    /// Local government code (全国地方公共団体コード): six digits, the last one a check digit.
    MunicipalityCode(6, r"^[0-9]{6}$", "312011", |s| {
        if local_government_code(s) { Ok(()) } else { Err("local_government_code") }
    });
    /// Corporate number (法人番号): thirteen digits, the first one a check digit.
    CorporateNumber(13, r"^[1-9][0-9]{12}$", "9000020102024", |s| {
        if corporate_number(s) { Ok(()) } else { Err("corporate_number") }
    });
    /// E-mail address, lower case; the name of an account.
    Email(254, r"^[a-z0-9._%+\-]+@[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9\-]*[a-z0-9])?)+$", "editor@nanbu.example.jp", email);
    /// Phone number: digits and hyphens.
    Phone(20, r"^\+?[0-9][0-9\-]*$", "0857-00-0000", |s| {
        let rest = s.strip_prefix('+').unwrap_or(s);
        let plain = rest.starts_with(|c: char| c.is_ascii_digit()) && rest.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        if plain { Ok(()) } else { Err("phone") }
    });
    /// Address or network (CIDR) of callers, IPv4 or IPv6.
    Network(49, r"^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$", "203.0.113.0/24", |s| {
        if network(s).is_some() { Ok(()) } else { Err("network") }
    });
    /// Name of a key (`kid`), unique among the keys of its system.
    KeyId(200, r"^[!-~]+$", "2026-04", |s| {
        if !s.is_empty() && s.bytes().all(|b| b.is_ascii_graphic()) { Ok(()) } else { Err("key_number") }
    });
    /// A number of a public key, in base64url.
    KeyNumber(1024, r"^[A-Za-z0-9_\-]+$", "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo", |s| {
        let digits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if !s.is_empty() && s.bytes().all(digits) { Ok(()) } else { Err("key_number") }
    });
    /// Time of a day in Japan, to the minute.
    TimeOfDay(5, r"^([01][0-9]|2[0-3]):[0-5][0-9]$", "13:30", time_of_day);
    /// Address to which changes are told.
    WebhookUrl(500, r"^https?://[!-~]+$", "https://council.example.jp/tsunagi", web_address);
    /// Address of a web page.
    WebAddress(500, r"^https?://[!-~]+$", "https://www.example.jp/", web_address);
}

/// The addresses that a network, or a single address, names.
pub fn network(s: &str) -> Option<IpNet> {
    s.parse()
        .or_else(|_| s.parse().map(|address: IpAddr| address.into()))
        .ok()
}

fn one_line(s: &str) -> Result<(), &'static str> {
    if s.chars().any(|c| c < ' ' || c == '\u{7f}') {
        return Err("control_character");
    }
    Ok(())
}

fn prose(s: &str) -> Result<(), &'static str> {
    if s.chars().any(|c| (c < ' ' && c != '\n') || c == '\u{7f}') {
        return Err("control_character");
    }
    Ok(())
}

fn not_blank(s: &str) -> Result<(), &'static str> {
    if s.trim().is_empty() { Err("blank") } else { Ok(()) }
}

fn time_of_day(s: &str) -> Result<(), &'static str> {
    let two_digits = |s: &str, end: u8| {
        s.len() == 2 && s.bytes().all(|b| b.is_ascii_digit()) && s.parse::<u8>().is_ok_and(|n| n < end)
    };
    match s.split_once(':') {
        Some((hour, minute)) if two_digits(hour, 24) && two_digits(minute, 60) => Ok(()),
        _ => Err("time_of_day"),
    }
}

fn web_address(s: &str) -> Result<(), &'static str> {
    let rest = s
        .strip_prefix("https://")
        .or_else(|| s.strip_prefix("http://"))
        .unwrap_or_default();
    if !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic()) {
        Ok(())
    } else {
        Err("web_address")
    }
}

fn email(s: &str) -> Result<(), &'static str> {
    let domain_label = |l: &str| {
        !l.is_empty()
            && !l.starts_with('-')
            && !l.ends_with('-')
            && l.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    let ok = s.split_once('@').is_some_and(|(local, domain)| {
        !local.is_empty()
            && local
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"._%+-".contains(&b))
            && domain.contains('.')
            && domain.split('.').all(domain_label)
    });
    if ok { Ok(()) } else { Err("email") }
}

/// Does the check digit of a local government code hold? Weights 6, 5, 4, 3, 2; source: 全国地方公共団体コード (MIC).
pub fn local_government_code(code: &str) -> bool {
    let digits: Option<Vec<u32>> = code
        .chars()
        .map(|c| c.is_ascii_digit().then(|| c.to_digit(10)).flatten())
        .collect();
    digits.is_some_and(|d| {
        d.len() == 6 && {
            let sum: u32 = d.iter().zip([6, 5, 4, 3, 2]).map(|(d, w)| d * w).sum();
            (11 - sum % 11) % 10 == d[5]
        }
    })
}

/// Does the check digit of a corporate number hold? Source: 法人番号の指定等に関する省令.
pub fn corporate_number(number: &str) -> bool {
    let digits: Option<Vec<u32>> = number
        .chars()
        .map(|c| c.is_ascii_digit().then(|| c.to_digit(10)).flatten())
        .collect();
    digits.is_some_and(|d| {
        d.len() == 13 && d[0] != 0 && {
            let sum: u32 = d[1..]
                .iter()
                .rev()
                .enumerate()
                .map(|(i, d)| d * if i % 2 == 0 { 1 } else { 2 })
                .sum();
            9 - sum % 9 == d[0]
        }
    })
}

/// The `like` pattern for "contains `text`", folded as the database's `search_key` folds.
pub fn search_pattern(text: &str) -> String {
    use unicode_normalization::UnicodeNormalization;
    let folded: String = text.nfkc().collect::<String>().to_lowercase();
    let escaped = folded.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    format!("%{escaped}%")
}

/// An enumeration that is text in the database and on the wire, under the same name.
macro_rules! text_enum {
    ($($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:tt),+ $(,)? })+) => {$(
        $(#[$doc])*
        #[derive(
            Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
            utoipa::ToSchema, diesel::expression::AsExpression, diesel::deserialize::FromSqlRow,
        )]
        #[diesel(sql_type = diesel::sql_types::Text)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $text)] $variant),+ }

        impl $name {
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in the database and on the wire.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }
        impl std::str::FromStr for $name {
            type Err = String;
            fn from_str(s: &str) -> std::result::Result<Self, String> {
                match s { $($text => Ok(Self::$variant),)+ _ => Err(format!("unknown {}: {s}", stringify!($name))) }
            }
        }
        impl diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn to_sql<'b>(&'b self, out: &mut diesel::serialize::Output<'b, '_, diesel::pg::Pg>) -> diesel::serialize::Result {
                <str as diesel::serialize::ToSql<diesel::sql_types::Text, diesel::pg::Pg>>::to_sql(self.as_str(), out)
            }
        }
        impl diesel::deserialize::FromSql<diesel::sql_types::Text, diesel::pg::Pg> for $name {
            fn from_sql(bytes: diesel::pg::PgValue<'_>) -> diesel::deserialize::Result<Self> {
                Ok(std::str::from_utf8(bytes.as_bytes())?.parse()?)
            }
        }
    )+};
}
pub(crate) use text_enum;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_has_two_and_two_digits() {
        for good in ["00:00", "09:45", "23:59"] {
            assert!(time_of_day(good).is_ok(), "{good}");
        }
        for bad in ["9:45", "24:00", "12:60", "+1:00", "12:3", "１２:００", ""] {
            assert!(time_of_day(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn check_digits_of_codes_hold() {
        for good in ["312011", "313891", "012131", "130001", "043249"] {
            assert!(local_government_code(good), "{good}");
        }
        for bad in ["312012", "31201", "3120110", "３１２０１１", ""] {
            assert!(!local_government_code(bad), "{bad}");
        }
        for good in ["9000020102024", "8000020130001", "8090020130001"] {
            assert!(corporate_number(good), "{good}");
        }
        for bad in ["9000020102025", "0000020102024", "900002010202"] {
            assert!(!corporate_number(bad), "{bad}");
        }
    }
}
