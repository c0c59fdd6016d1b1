//! Changes of a share that are printed in text: 約20%上がった, 5ポイント低下.

use super::text::Printed;
use bigdecimal::{BigDecimal, RoundingMode, Zero};

/// A printed change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PrintedChange {
    /// As printed.
    pub printed: String,
    /// Negative where it went down.
    pub value: BigDecimal,
    /// In ポイント, as the difference of two shares should be.
    pub points: bool,
}

const POINTS: [&str; 4] = ["ポイント", "pt", "Pt", "pp"];
const PERCENT: [&str; 2] = ["%", "パーセント"];
const UP: [&str; 9] = ["上がっ", "上が", "上昇", "増", "向上", "改善", "伸び", "アップ", "高ま"];
const DOWN: [&str; 6] = ["下がっ", "下が", "低下", "減", "ダウン", "下降"];
/// 20%に上昇 is a level; 20%の上昇 is a change.
const BETWEEN: [&str; 7] = ["", "の", "ほど", "程度", "以上", "近く", "も"];

/// The changes that a text tells.
pub fn changes(text: &str) -> Vec<PrintedChange> {
    let printed = Printed::new(text);
    let (mut changes, mut at) = (Vec::new(), 0);
    while at < printed.len() {
        match change(&printed, at) {
            Some((change, end)) => {
                changes.push(change);
                at = end;
            }
            None => at += 1,
        }
    }
    changes
}

fn change(printed: &Printed<'_>, at: usize) -> Option<(PrintedChange, usize)> {
    let (number, end) = printed.decimal(at)?;
    let end = printed.spaces(end);
    let (points, end) = match printed.any_word(end, &POINTS) {
        Some(end) => (true, end),
        None => (false, printed.any_word(end, &PERCENT)?),
    };
    let verb = |words: &[&str]| {
        BETWEEN
            .iter()
            .filter_map(|between| printed.word(end, between))
            .find_map(|end| printed.any_word(printed.spaces(end), words))
    };
    let (up, mut end) = match verb(&UP) {
        Some(end) => (true, end),
        None => (false, verb(&DOWN)?),
    };
    // The ending of the verb: 上が|った.
    while printed.at(end).is_some_and(|c| "った加少りしるた".contains(c)) {
        end += 1;
    }
    let start = ["約", "およそ", "ほぼ"]
        .iter()
        .find(|word| printed.ends_with(at, &[**word]))
        .map_or(at, |word| at - word.chars().count());
    let value: BigDecimal = number.parse().ok()?;
    let change = PrintedChange {
        printed: printed.slice(start, end).to_owned(),
        value: if up { value } else { -value },
        points,
    };
    Some((change, end))
}

/// How a printed change stands to two values of a share in percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is their difference in ポイント, or rightly relative to the first one.
    Right,
    /// The number is right, but a difference of shares is ポイント and not %.
    Unit,
    /// It is another number.
    Wrong,
}

/// Compares as exactly as the change is printed.
pub fn judge(change: &PrintedChange, baseline: &BigDecimal, actual: &BigDecimal) -> Verdict {
    let difference = actual - baseline;
    let same = |value: &BigDecimal| {
        let digits = change.value.fractional_digit_count();
        value.with_scale_round(digits, RoundingMode::HalfUp) == change.value
    };
    let relative = || !baseline.is_zero() && same(&(&difference * BigDecimal::from(100) / baseline));
    match (same(&difference), change.points) {
        (true, true) => Verdict::Right,
        (true, false) => Verdict::Unit,
        (false, false) if relative() => Verdict::Right,
        _ => Verdict::Wrong,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(String, String, bool)> {
        changes(text)
            .into_iter()
            .map(|c| (c.printed, c.value.to_string(), c.points))
            .collect()
    }

    #[test]
    fn changes_are_told_from_levels() {
        let text = "23.3%の認知度だったところが、広報により認知度が約20%上がった。";
        assert_eq!(read(text), [("約20%上がった".to_owned(), "20".to_owned(), false)]);
        assert_eq!(
            read("５．５ポイントの低下"),
            [("５．５ポイントの低下".to_owned(), "-5.5".to_owned(), true)]
        );
        assert_eq!(
            read("12%増加した"),
            [("12%増加した".to_owned(), "12".to_owned(), false)]
        );
        for text in ["41%に上昇", "認知度は41%となった", "20名増", "%上昇", ""] {
            assert_eq!(read(text), [], "{text}");
        }
    }

    #[test]
    fn a_change_is_the_difference_in_points() {
        let number = |text: &str| text.parse::<BigDecimal>().expect("valid");
        let change = |text: &str| changes(text).remove(0);
        let (baseline, actual) = (number("23.3"), number("41"));
        for (text, verdict) in [
            ("約20%上がった", Verdict::Wrong),
            ("約20ポイント上がった", Verdict::Wrong),
            ("17.7ポイント上がった", Verdict::Right),
            ("18ポイント上がった", Verdict::Right),
            ("17.7%上がった", Verdict::Unit),
            ("76%増", Verdict::Right),
            ("17.7ポイント低下", Verdict::Wrong),
        ] {
            assert_eq!(judge(&change(text), &baseline, &actual), verdict, "{text}");
        }
        assert_eq!(judge(&change("5%増"), &number("0"), &number("4")), Verdict::Wrong);
    }
}
