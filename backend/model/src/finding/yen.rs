//! Amounts of money in printed text: 50万円程度, 1,540,000円, 1億2,000万円, 費用なし, 合計33万円.

use super::text::Printed;
use bigdecimal::{BigDecimal, ToPrimitive};

/// An amount in whole yen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Amount {
    pub yen: i64,
    /// It is called the total (合計, 総額).
    pub total: bool,
}

const TOTALS: [&str; 6] = ["合計", "総計", "総額", "計", "総事業費", "総費用"];
const COUNTED: [&str; 7] = ["人", "名", "回", "件", "部", "日", "枚"];

/// The amounts of a text. Prices of a unit (3万円×7名, 1人5,000円) are none.
pub fn amounts(text: &str) -> Vec<Amount> {
    let printed = Printed::new(text);
    let (mut amounts, mut at) = (Vec::new(), 0);
    while at < printed.len() {
        let Some((yen, end)) = amount(&printed, at) else {
            at += 1;
            continue;
        };
        let before = before(&printed, at);
        let unit_price = ['×', 'x', 'X', '*', '/'].contains(&printed.at(printed.spaces(end)).unwrap_or(' '))
            || printed.ends_with(before, &COUNTED)
            || printed.ends_with(before, &["あたり", "当たり", "@"]);
        if !unit_price {
            amounts.push(Amount {
                yen,
                total: printed.ends_with(before, &TOTALS),
            });
        }
        at = end;
    }
    amounts
}

/// Where the word before an amount ends: 合計は約, 合計：, 合計 …
fn before(printed: &Printed<'_>, mut at: usize) -> usize {
    loop {
        let end = at;
        while at > 0
            && matches!(
                printed.at(at - 1),
                Some(' ' | '約' | ':' | '=' | '¥' | 'は' | 'で' | 'の')
            )
        {
            at -= 1;
        }
        for word in ["およそ", "金額", "予算"] {
            if printed.ends_with(at, &[word]) {
                at -= word.chars().count();
            }
        }
        if at == end {
            return at;
        }
    }
}

/// 1億2,000万円 and the like, in yen.
fn amount(printed: &Printed<'_>, at: usize) -> Option<(i64, usize)> {
    let sign = at > 0 && printed.at(at - 1) == Some('¥');
    let (mut sum, mut end) = (BigDecimal::from(0), at);
    loop {
        let (number, after) = printed.decimal(end)?;
        let (factor, after) = match printed.at(after) {
            Some('億') => (100_000_000, after + 1),
            Some('万') => (10_000, after + 1),
            Some('千') if printed.at(after + 1) == Some('万') => (10_000_000, after + 2),
            Some('千') => (1_000, after + 1),
            _ => (1, after),
        };
        sum += number.parse::<BigDecimal>().ok()? * BigDecimal::from(factor);
        end = after;
        if printed.at(end) == Some('円') {
            return sum.to_i64().filter(|_| sum.is_integer()).map(|yen| (yen, end + 1));
        }
        if factor == 1 {
            return if sign { sum.to_i64().map(|yen| (yen, end)) } else { None };
        }
    }
}

/// Does the text say that nothing is paid?
pub fn free(text: &str) -> bool {
    ["費用なし", "費用無し", "無料", "予算なし"]
        .iter()
        .any(|word| text.contains(word))
}

/// 1,540,000円
pub fn yen(amount: i64) -> String {
    let digits = amount.unsigned_abs().to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    format!("{}{text}円", if amount < 0 { "-" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(i64, bool)> {
        amounts(text).into_iter().map(|a| (a.yen, a.total)).collect()
    }

    #[test]
    fn amounts_are_read_as_they_are_printed() {
        for (text, yen) in [
            ("有識者謝金、交通費、宿泊費 (研修会4回、講師7名、50万円程度)", 500_000),
            ("日ノ丸産業株式会社（３３万円）", 330_000),
            ("1,540,000円", 1_540_000),
            ("1億2,000万円", 120_000_000),
            ("2万5千円", 25_000),
            ("33千円", 33_000),
            ("3.5万円", 35_000),
            ("¥50,000", 50_000),
        ] {
            assert_eq!(read(text), [(yen, false)], "{text}");
        }
    }

    #[test]
    fn totals_are_told_from_their_parts() {
        assert_eq!(
            read("謝金30万円、旅費20万円、計 約50万円"),
            [(300_000, false), (200_000, false), (500_000, true)]
        );
        assert_eq!(read("合計：154万円"), [(1_540_000, true)]);
        assert_eq!(read("総額は 154万円"), [(1_540_000, true)]);
    }

    #[test]
    fn prices_and_counts_are_no_amounts() {
        for text in [
            "3万円×7名",
            "1人5,000円",
            "研修会4回、講師7名",
            "令和6年",
            "50万人",
            "0.33円",
            "",
        ] {
            assert_eq!(read(text), [], "{text}");
        }
    }

    #[test]
    fn yen_has_separators() {
        assert_eq!(yen(0), "0円");
        assert_eq!(yen(999), "999円");
        assert_eq!(yen(1_540_000), "1,540,000円");
    }
}
