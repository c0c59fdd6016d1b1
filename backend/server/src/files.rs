//! Files of records: NDJSON, CSV and XLSX in, CSV and XLSX out. All sizes are bounded.

use crate::batch::{BatchItem, BatchOperation};
use crate::columns::{Cell, Column, NOTES, harmless};
use crate::error::{Error, FieldError, Result};
use crate::http::valid;
use calamine::{DataRef, Reader, Xlsx};
use encoding_rs::SHIFT_JIS;
use model::history::Entity;
use model::text::Name;
use serde_json::{Map, Value, json};
use std::io::{Cursor, Read};
use validator::Validate;

/// Rows of a chunk: what is written in one transaction.
pub const CHUNK: usize = 1000;
/// Bytes of content that are looked at at once; no row is longer.
pub const WINDOW: usize = 6 << 20;
/// Largest XLSX file, and what it may unpack to.
pub const XLSX_LIMIT: u64 = 20 << 20;
const XLSX_UNPACKED: u64 = 200 << 20;
/// Columns of a table.
const COLUMNS: usize = 200;
/// Cells of a sheet, empty ones between others included.
const CELLS: usize = 5_000_000;
/// Bytes of all texts of a sheet; one that stands in many cells counts each time.
const TEXTS: usize = 200 << 20;
/// What the texts that cells share may unpack to; the parser holds all of them.
const SHARED_TEXTS: u64 = 64 << 20;

/// Characters of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Charset {
    Utf8,
    Cp932,
}

impl Charset {
    /// Strictly: nothing, if a byte means nothing. The error is the place of the first such byte.
    pub fn decode(self, bytes: &[u8]) -> Result<String, usize> {
        let utf8 = |bytes: &[u8]| {
            std::str::from_utf8(bytes)
                .map(str::to_owned)
                .map_err(|e| e.valid_up_to())
        };
        match self {
            Self::Utf8 => utf8(bytes),
            Self::Cp932 => match SHIFT_JIS.decode_without_bom_handling_and_without_replacement(bytes) {
                Some(text) => Ok(text.into_owned()),
                None => {
                    let whole = |end: &usize| {
                        SHIFT_JIS
                            .decode_without_bom_handling_and_without_replacement(&bytes[..*end])
                            .is_some()
                    };
                    Err((0..bytes.len()).rev().find(whole).unwrap_or(0))
                }
            },
        }
    }
}

/// Finds out what the characters of a file are, from all of it, a window at a time: UTF-8 if it is that, else CP932 if it
/// is that, else the one that holds longer.
#[derive(Default)]
pub struct Detection {
    utf8: Option<usize>,
    cp932: Option<usize>,
    seen: usize,
    rest: Vec<u8>,
}

impl Detection {
    /// Windows end anywhere; the last bytes of each are looked at with the next, from a line's beginning.
    pub fn see(&mut self, window: &[u8], is_last: bool) {
        self.rest.extend_from_slice(window);
        let end = if is_last {
            self.rest.len()
        } else {
            self.rest.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1)
        };
        for (charset, first) in [(Charset::Utf8, &mut self.utf8), (Charset::Cp932, &mut self.cp932)] {
            if first.is_none()
                && let Err(at) = charset.decode(&self.rest[..end])
            {
                *first = Some(self.seen + at);
            }
        }
        self.seen += end;
        self.rest.drain(..end);
    }

    pub fn charset(&self) -> Charset {
        match (self.utf8, self.cp932) {
            (None, _) => Charset::Utf8,
            (Some(_), None) => Charset::Cp932,
            // Half a character at the end, or one bad byte somewhere.
            (Some(utf8), Some(cp932)) if utf8 >= cp932 => Charset::Utf8,
            _ => Charset::Cp932,
        }
    }
}

/// A row as it was read.
pub struct Row {
    pub line: i64,
    pub item: Result<BatchItem>,
    /// As it was sent, if it is no item.
    pub text: Value,
}

/// What stands in which place of a row.
pub struct Header(Vec<Option<Column>>);

impl Header {
    /// From the first row: names in English or Japanese. One that is unknown or there twice is refused, not left out.
    pub fn read(cells: &[Cell], columns: &[Column]) -> Result<Self> {
        let mut header: Vec<Option<Column>> = Vec::new();
        let mut wrong = Vec::new();
        for cell in cells {
            let name = cell.text.trim();
            let column = columns.iter().find(|c| c.name == name || c.japanese == name);
            let note = NOTES.iter().any(|n| *n == name || crate::columns::japanese(n) == name);
            let twice = column.is_some() && header.iter().flatten().any(|c| Some(c) == column);
            if twice || (column.is_none() && !note && !name.is_empty()) {
                wrong.push(FieldError {
                    path: format!("/{name}"),
                    code: if twice { "twice" } else { "unknown_field" }.to_owned(),
                    message: if twice {
                        format!("「{name}」の列が二つあります。一つにしてください。")
                    } else {
                        format!("「{name}」という列はありません。見出しを確かめてください。")
                    },
                });
            }
            header.push(column.cloned());
        }
        if header.iter().all(Option::is_none) && wrong.is_empty() {
            return Err(Error::Conflict("imports_header".to_owned()));
        }
        if wrong.is_empty() {
            Ok(Self(header))
        } else {
            Err(Error::Contradiction(wrong))
        }
    }

    /// The row as an item of a batch.
    pub fn item(&self, cells: &[Cell], entity: Entity, source: Option<&Name>) -> Result<BatchItem> {
        let mut record = Map::new();
        let mut item = json!({ "entity": entity });
        for (column, cell) in self.0.iter().zip(cells) {
            let Some(column) = column else { continue };
            let text = cell.text.trim();
            match column.name.as_str() {
                _ if cell.text.is_empty() => {}
                "operation" => {
                    let operation = match text {
                        "delete" | "削除" => BatchOperation::Delete,
                        "upsert" | "登録" => BatchOperation::Upsert,
                        _ => return Err(Error::field("/operation", "wrong_type")),
                    };
                    item["operation"] = json!(operation);
                }
                "id" => item["id"] = json!(text),
                "version" => {
                    let version: i64 = text.parse().map_err(|_| Error::field("/version", "wrong_type"))?;
                    item["if_version"] = json!(version);
                }
                "external_id" => item["external_id"] = json!(cell.text),
                name => {
                    if let Some(value) = column.value(cell, source.map(|s| s.0.as_str())) {
                        record.insert(name.to_owned(), value);
                    }
                }
            }
        }
        if item["external_id"].is_string() {
            item["source"] = json!(source);
        }
        if item["operation"] != "delete" {
            item["record"] = Value::Object(record);
        }
        valid(item)
    }
}

/// The row of a table that is not an item, as it was sent.
fn as_sent(header: &Header, cells: &[Cell]) -> Value {
    let named = header
        .0
        .iter()
        .zip(cells)
        .filter_map(|(column, cell)| Some((column.as_ref()?, cell)));
    named
        .map(|(column, cell)| (column.name.clone(), Value::String(cell.text.clone())))
        .collect::<Map<_, _>>()
        .into()
}

/// Rows of a window, and how many bytes and lines they take. A row that the window cuts off is left for the next one.
pub struct Lines {
    pub rows: Vec<(i64, Result<Vec<Cell>>)>,
    pub bytes: usize,
    pub lines: i64,
}

/// Rows of a CSV file, as bytes: in UTF-8 and in CP932 no part of a character looks like a quote, a comma or a line's end.
pub fn csv_rows(
    window: &[u8],
    is_last: bool,
    first_line: i64,
    charset: Charset,
    delimiter: u8,
    limit: usize,
) -> Result<Lines> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(window);
    let mut lines = Lines {
        rows: Vec::new(),
        bytes: 0,
        lines: 0,
    };
    let mut record = csv::ByteRecord::new();
    while lines.rows.len() < limit && reader.read_byte_record(&mut record).map_err(Error::internal)? {
        let end = usize::try_from(reader.position().byte()).unwrap_or(window.len());
        if end >= window.len() && !is_last {
            break;
        }
        // Lines as an editor counts them: a cell may have several, and empty ones before a row are none of it.
        let read = &window[lines.bytes..end];
        let empty = read.iter().take_while(|b| b"\r\n".contains(b)).count();
        let line = first_line + lines.lines + breaks(&read[..empty]);
        lines.bytes = end;
        lines.lines += breaks(read);
        if record.iter().any(|cell| !cell.is_empty()) {
            lines.rows.push((line, cells(&record, charset, line)));
        }
    }
    full(lines, window, is_last, limit)
}

fn breaks(bytes: &[u8]) -> i64 {
    i64::try_from(bytes.iter().filter(|b| **b == b'\n').count()).unwrap_or(i64::MAX)
}

fn full(mut lines: Lines, window: &[u8], is_last: bool, limit: usize) -> Result<Lines> {
    if is_last && lines.rows.len() < limit {
        lines.bytes = window.len();
    } else if lines.bytes == 0 {
        return Err(Error::Conflict("imports_row_length".to_owned()));
    }
    Ok(lines)
}

fn cells(record: &csv::ByteRecord, charset: Charset, line: i64) -> Result<Vec<Cell>> {
    if record.len() > COLUMNS {
        return Err(Error::Conflict("imports_columns".to_owned()));
    }
    let decode = |(index, cell): (usize, &[u8])| {
        let text = charset
            .decode(cell)
            .map_err(|at| undecodable(line, index + 1, at + 1, charset))?;
        Ok(Cell { text, is_number: false })
    };
    record.iter().enumerate().map(decode).collect()
}

fn undecodable(line: i64, column: usize, byte: usize, charset: Charset) -> Error {
    let charset = if charset == Charset::Utf8 { "UTF-8" } else { "CP932" };
    Error::Contradiction(vec![FieldError {
        path: format!("/{line}/{column}"),
        code: "undecodable".to_owned(),
        message: format!(
            "{line}行目の{column}列目、{byte}バイト目は{charset}の文字として読めません。文字コードを確かめてください。"
        ),
    }])
}

/// Lines of an NDJSON file as items.
pub fn ndjson_rows(
    window: &[u8],
    is_last: bool,
    first_line: i64,
    only: Option<Entity>,
) -> Result<(Vec<Row>, usize, i64)> {
    let (mut rows, mut at, mut number) = (Vec::new(), 0, 0);
    while rows.len() < CHUNK && at < window.len() {
        let end = match window[at..].iter().position(|b| *b == b'\n') {
            Some(length) => at + length + 1,
            None if is_last => window.len(),
            None => break,
        };
        let text = window[at..end].trim_ascii();
        let line = first_line + number;
        (at, number) = (end, number + 1);
        if !text.is_empty() {
            rows.push(json_row(text, line, only));
        }
    }
    if at == 0 && !window.is_empty() {
        return Err(Error::Conflict("imports_row_length".to_owned()));
    }
    Ok((rows, at, number))
}

fn json_row(text: &[u8], line: i64, only: Option<Entity>) -> Row {
    let item = match Charset::Utf8.decode(text) {
        Err(at) => Err(undecodable(line, 1, at + 1, Charset::Utf8)),
        Ok(text) => match serde_json::from_str::<Value>(&text) {
            Err(_) => Err(Error::BadRequest("malformed_json")),
            Ok(_) => valid::<BatchItem, _>(&mut serde_json::Deserializer::from_str(&text)),
        },
    };
    let item = item.and_then(|item| match only {
        Some(entity) if entity != item.entity => Err(Error::field("/entity", "wrong_type")),
        _ => item.validate().map(|()| item).map_err(Error::from),
    });
    Row {
        line,
        item,
        text: Value::String(String::from_utf8_lossy(text).into_owned()),
    }
}

/// A row of a table as an item.
pub fn table_row(line: i64, cells: Result<Vec<Cell>>, header: &Header, entity: Entity, source: Option<&Name>) -> Row {
    match cells {
        Ok(cells) => Row {
            line,
            item: header.item(&cells, entity, source),
            text: as_sent(header, &cells),
        },
        Err(error) => Row {
            line,
            item: Err(error),
            text: Value::Null,
        },
    }
}

/// Tab or comma: what the first line has.
pub fn delimiter(window: &[u8]) -> u8 {
    let first = window.split(|b| *b == b'\n').next().unwrap_or_default();
    if first.contains(&b'\t') { b'\t' } else { b',' }
}

/// Rows of the first sheet of a workbook, with their lines.
pub fn xlsx_rows(content: Vec<u8>) -> Result<Vec<(i64, Vec<Cell>)>> {
    let broken = || Error::Conflict("imports_xlsx".to_owned());
    unpacked(&content)?;
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(content)).map_err(|_| broken())?;
    let name = book.sheet_names().first().cloned().ok_or_else(broken)?;
    let mut reader = book.worksheet_cells_reader(&name).map_err(|_| broken())?;
    let mut rows: Vec<(i64, Vec<Cell>)> = Vec::new();
    let (mut count, mut texts) = (0, 0);
    while let Some(cell) = reader.next_cell().map_err(|_| broken())? {
        let (row, column) = cell.get_position();
        let (line, column) = (i64::from(row) + 1, usize::try_from(column).unwrap_or(usize::MAX));
        let cell = cell_of(cell.get_value());
        if cell.text.is_empty() {
            continue;
        }
        if column >= COLUMNS {
            return Err(Error::Conflict("imports_columns".to_owned()));
        }
        if rows.last().is_none_or(|(last, _)| *last != line) {
            rows.push((line, Vec::new()));
        }
        if let Some((_, cells)) = rows.last_mut() {
            count += (column + 1).saturating_sub(cells.len());
            texts += cell.text.len();
            if count > CELLS || texts > TEXTS {
                return Err(Error::Conflict("imports_columns".to_owned()));
            }
            cells.resize(cells.len().max(column + 1), Cell::default());
            cells[column] = cell;
        }
    }
    Ok(rows)
}

/// Does the file unpack to what it may? Whatever it says of itself.
fn unpacked(content: &[u8]) -> Result<()> {
    let broken = || Error::Conflict("imports_xlsx".to_owned());
    let too_large = || Error::Conflict("imports_xlsx_size".to_owned());
    let mut archive = zip::ZipArchive::new(Cursor::new(content)).map_err(|_| broken())?;
    let mut left = XLSX_UNPACKED;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|_| broken())?;
        let name = entry.name().map_err(|_| broken())?.to_ascii_lowercase();
        let read = if name.ends_with("sharedstrings.xml") {
            let mut part = Vec::new();
            let most = left.min(SHARED_TEXTS);
            entry.take(most + 1).read_to_end(&mut part).map_err(|_| broken())?;
            if part.len() as u64 > most {
                return Err(too_large());
            }
            if claims_too_much(&part) {
                return Err(broken());
            }
            part.len() as u64
        } else {
            std::io::copy(&mut entry.take(left + 1), &mut std::io::sink()).map_err(|_| broken())?
        };
        left = left.checked_sub(read).ok_or_else(too_large)?;
    }
    Ok(())
}

/// The parser makes room for as many texts as `uniqueCount` claims (tafia/calamine#684), so it may claim what fits into the
/// part. No part has control characters, by which a charset other than ASCII's could hide the claim.
fn claims_too_much(part: &[u8]) -> bool {
    const NAME: &[u8] = b"uniqueCount";
    let claims = part.windows(NAME.len()).enumerate().filter(|(_, name)| *name == NAME);
    part.iter().any(|byte| matches!(byte, 0 | 0x1b))
        || claims.into_iter().any(|(at, _)| {
            let value = part[at + NAME.len()..]
                .iter()
                .skip_while(|b| b" \t\r\n=\"'+".contains(b));
            let digits = value.take_while(|b| b.is_ascii_digit());
            let count = digits.fold(0_usize, |count, digit| {
                count.saturating_mul(10).saturating_add(usize::from(digit - b'0'))
            });
            count > part.len() / "<si/>".len()
        })
}

fn cell_of(value: &DataRef<'_>) -> Cell {
    let text = |text: String| Cell { text, is_number: false };
    let number = |text: String| Cell { text, is_number: true };
    match value {
        DataRef::Int(value) => number(value.to_string()),
        // Shortest form that is the same number; whole ones without a point.
        DataRef::Float(value) => number(value.to_string()),
        DataRef::String(value) | DataRef::DateTimeIso(value) | DataRef::DurationIso(value) => text(value.clone()),
        DataRef::SharedString(value) => text((*value).to_owned()),
        DataRef::Bool(value) => text(value.to_string()),
        DataRef::DateTime(value) if value.is_datetime() => {
            let (year, month, day, hour, minute, second, _) = value.to_ymd_hms_milli();
            let date = format!("{year:04}-{month:02}-{day:02}");
            let is_day = (hour, minute, second) == (0, 0, 0);
            text(if is_day {
                date
            } else {
                format!("{date}T{hour:02}:{minute:02}:{second:02}+09:00")
            })
        }
        DataRef::DateTime(value) => number(value.as_f64().to_string()),
        DataRef::Error(value) => text(value.to_string()),
        DataRef::Empty => Cell::default(),
    }
}

/// The first row of a file that we write: Japanese names.
pub fn header(columns: &[Column]) -> Vec<String> {
    columns.iter().map(|c| c.japanese.to_owned()).collect()
}

/// A CSV file. Characters that the charset does not have are named, with their places; nothing takes their place.
pub fn csv_file(rows: &[Vec<String>], charset: Charset) -> Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new()
        .terminator(csv::Terminator::CRLF)
        .from_writer(Vec::new());
    for row in rows {
        writer
            .write_record(row.iter().map(|cell| harmless(cell).into_owned()))
            .map_err(Error::internal)?;
    }
    let text =
        String::from_utf8(writer.into_inner().map_err(|e| Error::internal(e.to_string()))?).map_err(Error::internal)?;
    if charset == Charset::Utf8 {
        return Ok([b"\xef\xbb\xbf", text.as_bytes()].concat());
    }
    let mut missing = Vec::new();
    for (line, row) in (1..).zip(rows) {
        for (column, cell) in (1..).zip(row) {
            let unknown = cell.chars().filter(|c| !is_in_cp932(*c));
            missing.extend(unknown.map(|character| unmappable(line, column, character)));
        }
    }
    missing.truncate(100);
    if missing.is_empty() {
        Ok(SHIFT_JIS.encode(&text).0.into_owned())
    } else {
        Err(Error::Contradiction(missing))
    }
}

/// A character that a CSV file in CP932 cannot have.
pub fn unmappable(line: usize, column: usize, character: char) -> FieldError {
    FieldError {
        path: format!("/{line}/{column}"),
        code: "unmappable".to_owned(),
        message: format!(
            "{line}行目の{column}列目の「{character}」（U+{:04X}）は CP932 にありません。UTF-8 で書き出してください。",
            u32::from(character)
        ),
    }
}

/// Is it the same character again when it is read? The encoder takes some that only look alike.
pub fn is_in_cp932(character: char) -> bool {
    let mut buffer = [0; 4];
    let text = character.encode_utf8(&mut buffer);
    character.is_ascii() || {
        let (bytes, _, failed) = SHIFT_JIS.encode(text);
        !failed && Charset::Cp932.decode(&bytes).is_ok_and(|read| read == *text)
    }
}

/// A workbook of one sheet; every cell is text.
pub fn xlsx_file(rows: &[Vec<String>]) -> Result<Vec<u8>> {
    let mut book = rust_xlsxwriter::Workbook::new();
    let sheet = book.add_worksheet();
    let too_large = |_| Error::Conflict("exports_xlsx".to_owned());
    for (line, row) in (0..).zip(rows) {
        for (column, cell) in (0..).zip(row) {
            sheet.write_string(line, column, cell).map_err(too_large)?;
        }
    }
    book.save_to_buffer().map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_told_apart() {
        let detect = |bytes: &[u8]| {
            let mut detection = Detection::default();
            let (one, two) = bytes.split_at(bytes.len() / 2);
            detection.see(one, false);
            detection.see(two, true);
            detection.charset()
        };
        let cp932 = SHIFT_JIS.encode("名称,ふりがな\r\n髙橋①,ソース\r\n").0.into_owned();
        assert_eq!(detect(&cp932), Charset::Cp932);
        assert_eq!(detect("名称,ふりがな\n髙橋,𠮷野\n".as_bytes()), Charset::Utf8);
        let mut half = "名称\n見守りの会\n".repeat(50).into_bytes();
        half.extend_from_slice(&"会".as_bytes()[..2]);
        assert_eq!(detect(&half), Charset::Utf8);
        assert_eq!(detect(b"name\n"), Charset::Utf8);
    }

    #[test]
    fn rows_may_have_line_breaks_and_windows_may_cut_them() {
        let text = "名称,概要\r\n一,\"二行の\r\n文\"\r\n三,四\r\n";
        let window = text.as_bytes();
        let cut = csv_rows(&window[..window.len() - 3], false, 1, Charset::Utf8, b',', 10).expect("rows");
        assert_eq!(cut.rows.len(), 2);
        let rest = csv_rows(&window[cut.bytes..], true, 1 + cut.lines, Charset::Utf8, b',', 10).expect("rows");
        let (line, cells) = &rest.rows[0];
        assert_eq!((*line, cells.as_ref().expect("cells")[1].text.as_str()), (4, "四"));
        assert!(csv_rows(b"\"never ending", false, 1, Charset::Utf8, b',', 10).is_err());
    }

    #[test]
    fn a_byte_that_is_no_character_is_named_by_line_and_place() {
        let rows = csv_rows(b"a,b\nx,\xe4\xbc", true, 1, Charset::Utf8, b',', 10).expect("rows");
        let Err(Error::Contradiction(errors)) = &rows.rows[1].1 else {
            panic!("an error")
        };
        assert_eq!(
            (errors[0].path.as_str(), errors[0].code.as_str()),
            ("/2/2", "undecodable")
        );
    }

    #[test]
    fn what_cp932_does_not_have_is_named() {
        let rows = |text: &str| vec![vec!["名称".to_owned()], vec![text.to_owned()]];
        for text in ["髙橋①", "～", "ー", "012"] {
            let bytes = csv_file(&rows(text), Charset::Cp932).expect("a file");
            assert!(Charset::Cp932.decode(&bytes).expect("CP932").contains(text));
        }
        for text in ["𠮷野", "−1", "〜", "¥", "한"] {
            let Err(Error::Contradiction(errors)) = csv_file(&rows(text), Charset::Cp932) else {
                panic!("{text}")
            };
            assert_eq!(errors[0].path, "/2/1");
        }
    }

    #[test]
    fn a_workbook_is_text_and_a_broken_one_is_refused() {
        let rows = vec![
            vec!["市区町村".to_owned(), "備考".to_owned()],
            vec!["012025".to_owned(), "=1+1".to_owned()],
        ];
        let read = xlsx_rows(xlsx_file(&rows).expect("a workbook")).expect("rows");
        assert_eq!(
            read[1].1,
            [
                Cell {
                    text: "012025".into(),
                    is_number: false
                },
                Cell {
                    text: "=1+1".into(),
                    is_number: false
                }
            ]
        );
        for broken in [&b"PK\x03\x04nothing"[..], b"", b"name,kana\n"] {
            assert_eq!(refusal(broken.to_vec()), "imports_xlsx");
        }
    }

    fn refusal(content: Vec<u8>) -> String {
        let Err(Error::Conflict(code)) = xlsx_rows(content) else {
            panic!("a conflict")
        };
        code
    }

    /// A workbook with these shared texts and this sheet.
    fn workbook(shared: &str, sheet: &str) -> Vec<u8> {
        use std::io::Write;
        let mut book = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main";
        let relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships";
        let relation = |kind: &str, target: &str| {
            format!("<Relationships><Relationship Id='r' Type='{relations}/{kind}' Target='{target}'/></Relationships>")
        };
        let sheets = "<sheets><sheet name='一' sheetId='1' r:id='r'/></sheets>";
        for (name, text) in [
            ("_rels/.rels", relation("officeDocument", "xl/workbook.xml")),
            (
                "xl/workbook.xml",
                format!("<workbook xmlns='{main}' xmlns:r='{relations}'>{sheets}</workbook>"),
            ),
            (
                "xl/_rels/workbook.xml.rels",
                relation("worksheet", "worksheets/sheet1.xml"),
            ),
            ("xl/sharedStrings.xml", format!("<sst xmlns='{main}' {shared}</sst>")),
            (
                "xl/worksheets/sheet1.xml",
                format!("<worksheet xmlns='{main}'><sheetData>{sheet}</sheetData></worksheet>"),
            ),
        ] {
            book.start_file(name, zip::write::SimpleFileOptions::default())
                .expect("a part");
            book.write_all(text.as_bytes()).expect("its text");
        }
        book.finish().expect("a workbook").into_inner()
    }

    #[test]
    fn a_small_workbook_does_not_become_a_large_one() {
        let cell = "<row><c t='s'><v>0</v></c></row>";
        let texts = |count: usize, text: &str| format!("uniqueCount='{count}'><si><t>{text}</t></si>");
        assert_eq!(
            xlsx_rows(workbook(&texts(1, "一"), cell)).expect("rows")[0].1[0].text,
            "一"
        );
        for (shared, sheet, code) in [
            // Packed a thousandfold; texts of which there are too many; one that stands in very many cells; rows that are
            // empty but for the last cell; room for texts that are not there.
            (texts(1, "一"), " ".repeat(210 << 20), "imports_xlsx_size"),
            (
                texts(1, "一") + &"<si/>".repeat(14 << 20),
                cell.to_owned(),
                "imports_xlsx_size",
            ),
            (texts(1, &"一".repeat(100_000)), cell.repeat(1000), "imports_columns"),
            (
                texts(1, "一"),
                "<row><c r='GR1'><v>1</v></c></row><row><c r='GR2'><v>1</v></c></row>".repeat(13_000),
                "imports_columns",
            ),
            (texts(1_000_000_000_000, "一"), cell.to_owned(), "imports_xlsx"),
            (texts(usize::MAX, "一"), cell.to_owned(), "imports_xlsx"),
        ] {
            let content = workbook(&shared, &sheet);
            assert!(content.len() < 1 << 20, "{} bytes", content.len());
            assert_eq!(refusal(content), code);
        }
    }
}
