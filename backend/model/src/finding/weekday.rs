//! Dates with a weekday: 令和6年12月10日（月）～11日（火）, 2月12日（月）, 12/7(土), R6.12.10(火).

use super::text::Printed;
use chrono::{Datelike, NaiveDate};

/// Dates that belong together, of which at least one has a weekday that the calendar contradicts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WrongWeekday {
    pub printed: String,
    /// The same with the weekdays of the calendar.
    pub computed: String,
    /// Is the year printed, or did it have to be concluded?
    pub year_printed: bool,
}

const WEEKDAYS: [char; 7] = ['月', '火', '水', '木', '金', '土', '日'];
/// What may stand between a weekday and its closing bracket.
const TAILS: [&str; 10] = [
    "",
    "曜",
    "曜日",
    "祝",
    "・祝",
    "・休",
    "・祝日",
    "・休日",
    "曜日・祝",
    "曜日・祝日",
];
/// What may stand between dates that belong together.
const CONNECTORS: [char; 14] = [
    ' ', '~', '〜', '-', '–', '—', '―', '−', '・', '、', ',', '及', 'び', 'と',
];
const ERAS: [(&str, i32); 6] = [
    ("令和", 2018),
    ("平成", 1988),
    ("昭和", 1925),
    ("R", 2018),
    ("H", 1988),
    ("S", 1925),
];

#[derive(Clone, Copy)]
enum Year {
    Calendar(i32),
    Fiscal(i32),
}

/// A date as printed.
struct Mention {
    year: Option<Year>,
    month: Option<u32>,
    day: u32,
    end: usize,
}

/// The weekday behind a date: where its character stands, which it is, where the bracket ends.
struct Mark {
    at: usize,
    weekday: u32,
    end: usize,
}

/// Dates that follow each other.
#[derive(Default)]
struct Group {
    start: usize,
    end: usize,
    computed: String,
    wrong: bool,
    year_printed: bool,
    last: Option<NaiveDate>,
}

/// Finds the dates of `text` whose weekday is wrong. A date without a year is taken in `fiscal_year`; where the text
/// names other years as well, it is wrong only if it fits none of them.
pub fn wrong_weekdays(text: &str, fiscal_year: Option<i16>) -> Vec<WrongWeekday> {
    // Almost no text has a weekday in brackets.
    if !text.contains(['(', '（']) || !text.contains(WEEKDAYS) {
        return Vec::new();
    }
    let printed = Printed::new(text);
    let years = years_named(&printed, fiscal_year);
    let mut found = Vec::new();
    let mut group: Option<Group> = None;
    let mut at = 0;
    while at < printed.len() {
        let Some(mention) = mention(&printed, at) else {
            at += 1;
            continue;
        };
        let connected = group.take().filter(|g| {
            let between = printed.folded(g.end, at);
            between.len() <= 6 && between.iter().all(|c| CONNECTORS.contains(c))
        });
        let mark = mark(&printed, mention.end);
        let next = mark.as_ref().map_or(mention.end, |m| m.end);
        let mut current = match connected {
            Some(mut group) => {
                group.computed.push_str(printed.slice(group.end, at));
                group
            }
            None => Group {
                start: at,
                ..Group::default()
            },
        };
        let candidates = candidates(&mention, &current, &years);
        let fits = mark.as_ref().is_none_or(|m| {
            candidates
                .iter()
                .any(|d| d.weekday().num_days_from_monday() == m.weekday)
        });
        match (&mark, candidates.first()) {
            (Some(mark), Some(date)) if !fits => {
                let weekday = WEEKDAYS[date.weekday().num_days_from_monday() as usize];
                current.computed.push_str(printed.slice(at, mark.at));
                current.computed.push(weekday);
                current.computed.push_str(printed.slice(mark.at + 1, next));
                current.wrong = true;
            }
            _ => current.computed.push_str(printed.slice(at, next)),
        }
        current.year_printed |= matches!(mention.year, Some(Year::Calendar(_)));
        current.last = candidates.first().copied().or(current.last);
        current.end = next;
        at = next;
        // A group that grows replaces what it was.
        found.retain(|(start, _)| *start != current.start);
        if current.wrong {
            found.push((
                current.start,
                WrongWeekday {
                    printed: printed.slice(current.start, current.end).to_owned(),
                    computed: current.computed.clone(),
                    year_printed: current.year_printed,
                },
            ));
        }
        group = Some(current);
    }
    found.into_iter().map(|(_, wrong)| wrong).collect()
}

/// The years a date without one may belong to: the record's first, then those the text names.
fn years_named(printed: &Printed<'_>, fiscal_year: Option<i16>) -> Vec<Year> {
    let mut years: Vec<Year> = fiscal_year.map(|y| Year::Fiscal(y.into())).into_iter().collect();
    let mut at = 0;
    while at < printed.len() && !years.is_empty() {
        match year(printed, at) {
            Some((year, end)) => {
                years.push(year);
                at = end;
            }
            None => at += 1,
        }
    }
    years
}

/// The days a mention can mean, the likeliest first; none when there is no such day.
fn candidates(mention: &Mention, group: &Group, years: &[Year]) -> Vec<NaiveDate> {
    let in_year = |year: &Year, month: u32| {
        let year = match *year {
            Year::Calendar(year) => year,
            Year::Fiscal(year) if month >= 4 => year,
            Year::Fiscal(year) => year + 1,
        };
        NaiveDate::from_ymd_opt(year, month, mention.day)
    };
    match (mention.year, mention.month, group.last) {
        (Some(year), Some(month), _) => in_year(&year, month).into_iter().collect(),
        // 令和6年12月10日～11日, ～1月5日: what is left out is that of the date before.
        (_, month, Some(last)) => {
            let month = month.unwrap_or(last.month());
            let year = if month < last.month() {
                last.year() + 1
            } else {
                last.year()
            };
            in_year(&Year::Calendar(year), month).into_iter().collect()
        }
        (None, Some(month), None) => years.iter().filter_map(|year| in_year(year, month)).collect(),
        _ => Vec::new(),
    }
}

/// 令和6年, R6., 2024年, 2024/; 令和6年度.
fn year(printed: &Printed<'_>, at: usize) -> Option<(Year, usize)> {
    let era = ERAS
        .iter()
        .find_map(|(era, before)| printed.word(at, era).map(|end| (*before, end)));
    let (number, end) = match era {
        Some((before, end)) => {
            let end = printed.spaces(end);
            let (number, end) = match printed.word(end, "元") {
                Some(end) => (1, end),
                None => printed.number(end, 2)?,
            };
            (before + i32::try_from(number).ok()?, end)
        }
        None => {
            let (number, end) = printed.number(at, 4)?;
            if number < 1900 {
                return None;
            }
            (i32::try_from(number).ok()?, end)
        }
    };
    match printed.at(end)? {
        '年' if printed.at(end + 1) == Some('度') => Some((Year::Fiscal(number), end + 2)),
        '年' | '.' | '/' | '-' => Some((Year::Calendar(number), end + 1)),
        _ => None,
    }
}

/// A date that begins here: with or without its year, or only its day.
fn mention(printed: &Printed<'_>, at: usize) -> Option<Mention> {
    let (year, after_year) = match year(printed, at) {
        Some((year, end)) => (Some(year), printed.spaces(end)),
        None => (None, at),
    };
    let (first, end) = printed.number(after_year, 2)?;
    match printed.at(end) {
        Some('日') if year.is_none() => {
            return Some(Mention {
                year: None,
                month: None,
                day: first,
                end: end + 1,
            });
        }
        Some('月' | '/') => {}
        Some('.' | '-') if year.is_some() => {}
        _ => return None,
    }
    let (day, end) = printed.number(printed.spaces(end + 1), 2)?;
    Some(Mention {
        year,
        month: Some(first),
        day,
        end: printed.word(end, "日").unwrap_or(end),
    })
}

/// （月）, (月曜日), （土・祝）.
fn mark(printed: &Printed<'_>, at: usize) -> Option<Mark> {
    let open = printed.spaces(at);
    if printed.at(open) != Some('(') {
        return None;
    }
    let at = printed.spaces(open + 1);
    let weekday = WEEKDAYS.iter().position(|c| printed.at(at) == Some(*c))?;
    let close = (at + 1..at + 8).find(|i| printed.at(*i) == Some(')'))?;
    let tail: String = printed.folded(at + 1, close).iter().filter(|c| **c != ' ').collect();
    TAILS.contains(&tail.as_str()).then_some(Mark {
        at,
        weekday: u32::try_from(weekday).ok()?,
        end: close + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(String, String, bool)> {
        wrong_weekdays(text, Some(2024))
            .into_iter()
            .map(|w| (w.printed, w.computed, w.year_printed))
            .collect()
    }

    #[test]
    fn a_range_with_wrong_weekdays_is_one_finding() {
        let (printed, computed) = ("令和6年12月10日（月）～11日（火）", "令和6年12月10日（火）～11日（水）");
        assert_eq!(found(printed), [(printed.to_owned(), computed.to_owned(), true)]);
    }

    #[test]
    fn a_date_without_a_year_lies_in_the_fiscal_year_of_the_record() {
        for (printed, computed) in [
            ("2月12日（月）", "2月12日（水）"),
            ("2月12日(月)", "2月12日(水)"),
            ("２月１２日 （月曜日）", "２月１２日 （水曜日）"),
            ("2/12(月)", "2/12(水)"),
            ("12月10日（月・祝）", "12月10日（火・祝）"),
        ] {
            assert_eq!(found(printed), [(printed.to_owned(), computed.to_owned(), false)]);
        }
        assert!(wrong_weekdays("2月12日（月）", Some(2023)).is_empty());
        assert!(wrong_weekdays("2月12日（月）", None).is_empty());
    }

    #[test]
    fn right_weekdays_are_no_finding() {
        for text in [
            "12月7日 (土) 13:00~15:30",
            "1月25日 (土) ~ 2月22日 (土)",
            "2月14日 (金)、 2月15日 (土)",
            "10月9日（水）に検討会を開催し",
            "2024/12/10(火)",
            "2024-12-10（火）～2025-01-05（日）",
            "R6.12.10(火)",
            "令和元年5月1日（水）",
            "令和6年12月30日（月）～1月6日（月）",
            "令和6年12月10日～11日（水）",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }

    #[test]
    fn only_what_is_wrong_is_quoted() {
        let text = "第1回は12月7日（土）、第2回は12月8日（土）に開催した。";
        assert_eq!(
            found(text),
            [("12月8日（土）".to_owned(), "12月8日（日）".to_owned(), false)]
        );
        let text = "12月10日～12日（木）と13日（土）";
        assert_eq!(
            found(text),
            [(text.to_owned(), "12月10日～12日（木）と13日（金）".to_owned(), false)]
        );
    }

    #[test]
    fn a_text_that_names_another_year_gets_the_benefit_of_the_doubt() {
        // 11月2日 was a Thursday in 令和5年度 and a Saturday in 令和6年度.
        assert_eq!(found("令和5年度に説明し、11月2日（木）に決定した。"), []);
        assert_eq!(found("令和5年度に説明し、11月2日（土）に決定した。"), []);
        assert_eq!(found("令和5年度に説明し、11月2日（金）に決定した。").len(), 1);
    }

    #[test]
    fn brackets_without_a_weekday_of_a_date_are_left_alone() {
        for text in [
            "12月10日（月1回）",
            "12月7日・8日（土・日）",
            "（月）",
            "2月30日（月）",
            "99日（月）",
            "12月10日（土日）",
            "1/2（水準）",
            "",
            "12月10日（",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
