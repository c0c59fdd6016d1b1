//! Records as rows of a table: which columns a kind has, what they are called, and how a cell is read and written.

use crate::access::{ForKind, Record};
use crate::error::Result;
use model::record::Kept;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use utoipa::{PartialSchema, ToSchema};

/// Names of the columns in Japanese, in the order of the columns. A name of one kind only begins with the kind.
const NAMES: &[(&str, &str)] = &[
    ("operation", "操作"),
    ("id", "ID"),
    ("version", "版番号"),
    ("external_id", "外部ID"),
    ("fiscal_year", "年度"),
    ("first_fiscal_year", "計画の初年度"),
    ("last_fiscal_year", "計画の最終年度"),
    ("platform_id", "プラットフォーム"),
    ("plan_id", "計画"),
    ("goal_id", "計画の目標"),
    ("project_id", "事業"),
    ("kpi_id", "KPI"),
    ("series_id", "系列"),
    ("organization_id", "団体"),
    ("actor_id", "活動主体"),
    ("parent_id", "上位"),
    ("predecessor_id", "前身"),
    ("successor_id", "後継"),
    ("supersedes_id", "訂正した版"),
    ("entity", "記録の種類"),
    ("record_id", "記録"),
    ("rule", "指摘事項"),
    ("kind", "種類"),
    ("stage", "評価の時期"),
    ("level_id", "評価"),
    ("code", "番号"),
    ("kpi_observations.number", "数値"),
    ("number", "番号"),
    ("marker", "記号"),
    ("kpis.name", "指標名"),
    ("name", "名称"),
    ("title", "表題"),
    ("subtitle", "副題"),
    ("label", "見出し"),
    ("role_label", "役割の見出し"),
    ("kana", "ふりがな"),
    ("aliases", "別名"),
    ("edition", "版"),
    ("rank", "順位"),
    ("criteria", "基準"),
    ("definition", "定義"),
    ("value_type", "値の種類"),
    ("period_kind", "期間の種類"),
    ("period_start", "期間の始まり"),
    ("period_end", "期間の終わり"),
    ("value", "値"),
    ("low", "下限"),
    ("high", "上限"),
    ("numerator", "分子"),
    ("denominator", "分母"),
    ("numerator_label", "分子の名前"),
    ("denominator_label", "分母の名前"),
    ("unit", "単位"),
    ("decimals", "小数点以下の桁数"),
    ("direction", "望ましい方向"),
    ("state", "状態・文章"),
    ("states", "めざす姿"),
    ("missing_reason", "値がない理由"),
    ("approximate", "およその値"),
    ("quality", "確定の度合い"),
    ("series_break", "系列の断絶"),
    ("comparator", "達成の条件"),
    ("text", "本文"),
    ("rationale", "考え方"),
    ("scope", "対象の範囲"),
    ("baseline", "基準値"),
    ("time_rule", "時間の合算"),
    ("area_rule", "地域の合算"),
    ("frequency", "記録の頻度"),
    ("responsible", "担当"),
    ("data_source", "値の出典"),
    ("counts_people", "人数の指標"),
    ("relisted", "再掲"),
    ("municipality_code", "市区町村"),
    ("prefecture_code", "都道府県"),
    ("municipality_codes", "圏域の市区町村"),
    ("area_name", "圏域名"),
    ("district", "地区"),
    ("districts", "地区"),
    ("dimensions", "区分"),
    ("corporate_number", "法人番号"),
    ("url", "ウェブサイト"),
    ("phone", "電話番号"),
    ("valid_from", "有効な最初の日"),
    ("valid_to", "有効な最後の日"),
    ("layer", "層"),
    ("launches", "立ち上げ"),
    ("lead_department", "担当部局"),
    ("role", "役割"),
    ("class", "会員の区分"),
    ("joined_on", "参画日"),
    ("joined_text", "参画時期の原文表記"),
    ("left_on", "退会日"),
    ("linkage", "連携内容"),
    ("entered_by_owner", "代理入力"),
    ("expected_actor", "期待される活動主体"),
    ("heading_shown", "見出しの表示"),
    ("continues", "前の年度からの継続"),
    ("due_on", "期限"),
    ("progress", "進捗"),
    ("is_reference", "※参考"),
    ("summary", "概要"),
    ("content", "事業内容"),
    ("aims", "目的／期待効果・KPI"),
    ("detail_aims", "ねらい"),
    ("ingenuity_points", "工夫点"),
    ("schedules", "実施時期"),
    ("media_plan", "広報の実施概要"),
    ("results", "結果"),
    ("verification", "成果検証結果"),
    ("sections", "そのほかの欄"),
    ("members_note", "メンバーの補足"),
    ("selection_notes", "選出・打診時の工夫"),
    ("prior_efforts", "従前の取り組み"),
    ("goals_of_year", "今年度のゴール"),
    ("final_goals", "最終的なゴール"),
    ("final_goals_closing", "最終的なゴールの結び"),
    ("breakthrough", "ブレイクスルー要因"),
    ("partnership_values", "PF連携による価値や工夫"),
    ("process_notes", "留意点"),
    ("reactions", "公表した際の反響"),
    ("trial_points", "試行的事業のポイント・工夫"),
    ("next_year_proposals", "次年度以降の事業案"),
    ("contractor_id", "発注先の団体"),
    ("contractor", "発注先"),
    ("amount_yen", "金額"),
    ("items", "内訳"),
    ("source", "出典"),
    ("as_of", "時点"),
    ("decided_by", "評価した人"),
    ("decided_on", "評価した日"),
    ("explanation", "説明"),
    ("remark", "その他特記事項"),
    ("note", "備考"),
    ("reason", "理由"),
    ("printed", "原文表記"),
    ("visibility", "公開範囲"),
    ("position", "表示順"),
    ("line", "行"),
    ("problem", "エラー"),
];

/// What a file has beside the fields of its records.
pub const OWN: [&str; 4] = ["operation", "id", "version", "external_id"];
/// What a file of rows that were not written has besides; not read.
pub const NOTES: [&str; 2] = ["line", "problem"];

/// A column of a kind.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name of the field.
    pub name: String,
    pub japanese: &'static str,
    cell: Kind,
}

/// What stands in a cell.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Text; of a code, with as many digits.
    Text(Option<usize>),
    Integer,
    Boolean,
    /// Texts, one a line.
    Texts,
    /// Everything else, as JSON.
    Json,
}

/// A cell as it was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cell {
    pub text: String,
    /// A spreadsheet holds it as a number, which has lost the zeros in front.
    pub is_number: bool,
}

/// The columns of a kind: its own, then its fields.
pub struct Columns;

impl ForKind for Columns {
    type Out = Vec<Column>;
    async fn with<R: Record + Kept>(self) -> Result<Vec<Column>> {
        let mut parts = Vec::new();
        R::Fields::schemas(&mut parts);
        let parts: BTreeMap<String, Value> = parts.into_iter().map(|(name, schema)| (name, json!(schema))).collect();
        let schema = json!(R::Fields::schema());
        let mut columns: Vec<Column> = OWN
            .iter()
            .map(|name| column(R::ENTITY, name, Kind::Text(None)))
            .collect();
        let fields = schema["properties"].as_object().into_iter().flatten();
        let mut fields: Vec<Column> = fields
            .map(|(name, p)| column(R::ENTITY, name, kind(p, &parts)))
            .collect();
        fields.sort_by_key(|column| NAMES.iter().position(|(_, japanese)| *japanese == column.japanese));
        columns.append(&mut fields);
        Ok(columns)
    }
}

fn column(entity: &str, name: &str, cell: Kind) -> Column {
    let own = format!("{entity}.{name}");
    let japanese = NAMES
        .iter()
        .find(|(n, _)| *n == own || *n == name)
        .map_or("", |(_, japanese)| japanese);
    Column {
        name: name.to_owned(),
        japanese,
        cell,
    }
}

/// The Japanese name of a column.
pub fn japanese(name: &str) -> &'static str {
    NAMES
        .iter()
        .find(|(n, _)| *n == name)
        .map_or("", |(_, japanese)| japanese)
}

fn kind(property: &Value, parts: &BTreeMap<String, Value>) -> Kind {
    let referenced = |value: &Value| {
        let name = value["$ref"].as_str()?.rsplit('/').next()?;
        parts.get(name).cloned()
    };
    let variants = property["oneOf"].as_array();
    let one = variants
        .and_then(|v| v.iter().find(|v| v["type"] != "null"))
        .unwrap_or(property);
    let schema = referenced(one).unwrap_or_else(|| one.clone());
    let is = |kind: &str| schema["type"] == kind || schema["type"].as_array().is_some_and(|t| t.contains(&json!(kind)));
    if is("string") {
        let pattern = schema["pattern"].as_str().unwrap_or_default();
        Kind::Text(match pattern {
            "^[0-9]{6}$" => Some(6),
            "^[1-9][0-9]{12}$" => Some(13),
            _ => None,
        })
    } else if is("integer") {
        Kind::Integer
    } else if is("boolean") {
        Kind::Boolean
    } else if is("array") && matches!(kind(&schema["items"], parts), Kind::Text(_)) {
        Kind::Texts
    } else {
        Kind::Json
    }
}

impl Column {
    /// The cell of a value.
    pub fn cell(&self, value: &Value) -> String {
        match (self.cell, value) {
            (_, Value::Null) => String::new(),
            (_, Value::String(text)) => text_cell(text),
            (Kind::Texts, Value::Array(texts)) if texts.is_empty() => String::new(),
            (Kind::Texts, Value::Array(texts)) => {
                let lines: Vec<&str> = texts.iter().filter_map(Value::as_str).collect();
                let plain = lines.iter().all(|l| !l.is_empty() && !l.contains('\n')) && !lines[0].starts_with('[');
                if plain {
                    text_cell(&lines.join("\n"))
                } else {
                    value.to_string()
                }
            }
            (_, other) => other.to_string(),
        }
    }

    /// The value of a cell; nothing of an empty one. What does not fit stays text, for the field to be named as wrong.
    pub fn value(&self, cell: &Cell, source: Option<&str>) -> Option<Value> {
        if cell.text.is_empty() {
            return None;
        }
        let text = cell_text(&cell.text);
        let as_text = || Value::String(text.to_owned());
        Some(match self.cell {
            Kind::Integer => text.parse::<i64>().map_or_else(|_| as_text(), Value::from),
            Kind::Boolean => match text {
                _ if text.eq_ignore_ascii_case("true") => json!(true),
                _ if text.eq_ignore_ascii_case("false") => json!(false),
                _ => as_text(),
            },
            Kind::Texts if !text.starts_with('[') => json!(text.lines().collect::<Vec<_>>()),
            Kind::Texts | Kind::Json => serde_json::from_str(text).unwrap_or_else(|_| as_text()),
            Kind::Text(Some(digits)) if cell.is_number => json!(format!("{text:0>digits$}")),
            Kind::Text(_) => match source {
                // A reference that is none of our ids is one of the other system.
                Some(source) if self.name.ends_with("_id") && text.parse::<uuid::Uuid>().is_err() => {
                    json!({ "source": source, "external_id": text })
                }
                _ => as_text(),
            },
        })
    }

    /// The value, out of a record as it was sent.
    pub fn of(&self, record: &Map<String, Value>) -> String {
        match record.get(&self.name) {
            Some(Value::Object(reference)) if self.name.ends_with("_id") => {
                self.cell(reference.get("external_id").unwrap_or(&Value::Null))
            }
            value => self.cell(value.unwrap_or(&Value::Null)),
        }
    }
}

/// A text that a reader takes for something else gets an apostrophe in front: an empty one, and one with an apostrophe.
fn text_cell(text: &str) -> String {
    if text.is_empty() || text.starts_with('\'') {
        format!("'{text}")
    } else {
        text.to_owned()
    }
}

/// The text of a cell: without the apostrophe that was put in front of it.
fn cell_text(cell: &str) -> &str {
    match cell.strip_prefix('\'') {
        Some(text) if text.is_empty() || text.starts_with(STRIPPED) => text,
        _ => cell,
    }
}

/// What a spreadsheet takes for the beginning of a formula.
const FORMULA: [char; 10] = ['=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r'];
const STRIPPED: [char; 11] = ['\'', '=', '+', '-', '@', '＝', '＋', '－', '＠', '\t', '\r'];

/// A cell of a CSV file that no spreadsheet runs: an apostrophe makes it text, and is taken away when it is read.
pub fn harmless(cell: &str) -> std::borrow::Cow<'_, str> {
    let number = cell
        .strip_prefix('-')
        .is_some_and(|n| n.starts_with(|c: char| c.is_ascii_digit()) && n.parse::<f64>().is_ok());
    if cell.starts_with(FORMULA) && !number {
        format!("'{cell}").into()
    } else {
        cell.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::for_kind;

    async fn columns(resource: &str) -> Vec<Column> {
        let entity = resource.replace('-', "_").parse().expect("a kind");
        for_kind(entity, Columns).await.expect("columns")
    }

    #[actix_web::test]
    async fn every_field_of_every_kind_has_a_japanese_name_of_its_own() {
        for resource in crate::batch::resources() {
            let columns = columns(&resource).await;
            for (index, column) in columns.iter().enumerate() {
                assert!(!column.japanese.is_empty(), "{resource}.{}", column.name);
                let same = columns[..index].iter().find(|c| c.japanese == column.japanese);
                assert_eq!(same, None, "{resource}.{}", column.name);
            }
        }
    }

    #[actix_web::test]
    async fn what_is_written_into_a_cell_is_read_out_of_it_again() {
        let columns = columns("platforms").await;
        let column = |name: &str| columns.iter().find(|c| c.name == name).expect("a column").clone();
        for text in [
            "", "'", "''", "'=", "=1+1", "+81", "-", "-5", "@x", "＝", "'abc", "012", "a\nb", "\tx",
        ] {
            let written = column("area_name").cell(&json!(text));
            for cell in [written.clone(), harmless(&written).into_owned()] {
                let read = column("area_name").value(
                    &Cell {
                        text: cell.clone(),
                        is_number: false,
                    },
                    None,
                );
                assert_eq!(read, Some(json!(text)), "{cell:?}");
            }
            assert!(!harmless(&written).starts_with(['=', '+', '@', '＝']), "{text}");
        }
        for list in [
            json!(["312011", "313891"]),
            json!(["一"]),
            json!(["[x"]),
            json!(["a\nb"]),
            json!([""]),
        ] {
            let cell = Cell {
                text: column("municipality_codes").cell(&list),
                is_number: false,
            };
            assert_eq!(column("municipality_codes").value(&cell, None), Some(list));
        }
    }
}
