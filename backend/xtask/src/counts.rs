//! Reads what test runners say about themselves.

/// How many tests passed and failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Passed.
    pub passed: u64,
    /// Failed, or ended in an error.
    pub failed: u64,
}

impl std::ops::AddAssign for Counts {
    fn add_assign(&mut self, other: Self) {
        self.passed += other.passed;
        self.failed += other.failed;
    }
}

/// The sum of all closing lines of test runners in a text; None when there is none.
pub fn read(output: &str) -> Option<Counts> {
    let mut all: Option<Counts> = None;
    for line in plain(output).lines() {
        if let Some(counts) = closing_line(line.trim()) {
            *all.get_or_insert_default() += counts;
        }
    }
    all
}

/// One closing line, in the manner of the runner that wrote it.
fn closing_line(line: &str) -> Option<Counts> {
    let rest = if let Some(rest) = line.strip_prefix("test result:") {
        rest // cargo test: "test result: ok. 3 passed; 0 failed; 0 ignored; …"
    } else if line.starts_with("Summary [") && line.contains("tests run:") || line.contains("test run:") {
        line.split("run:").nth(1)? // nextest: "Summary [ 1.2s] 3 tests run: 3 passed, 0 skipped"
    } else if let Some(rest) = line.strip_prefix("Tests ") {
        rest // vitest: "Tests  1 failed | 3 passed (4)"
    } else if let Some((number, word)) = node_test(line) {
        // node:test: "# pass 3" and "# fail 0", each on its own line
        return Some(match word {
            "pass" => Counts {
                passed: number,
                failed: 0,
            },
            _ => Counts {
                passed: 0,
                failed: number,
            },
        });
    } else if let Some(rest) = pytest(line) {
        rest
    } else if is_bare(line) {
        line // ours and the browser tests': "3 passed, 1 failed"
    } else {
        return None;
    };
    let passed = before(rest, "passed");
    let failed = before(rest, "failed");
    let broken = ["timed out", "exec failed", "errors", "error"]
        .iter()
        .find_map(|word| before(rest, word));
    if passed.is_none() && failed.is_none() && broken.is_none() {
        return None;
    }
    // nextest says "exec failed" apart from "failed"; the two never mean the same test.
    Some(Counts {
        passed: passed.unwrap_or(0),
        failed: failed.unwrap_or(0) + broken.unwrap_or(0),
    })
}

/// "==== 1 failed, 3 passed in 0.12s ====", and without the lines when it is quiet.
fn pytest(line: &str) -> Option<&str> {
    let (counts, time) = line.trim_matches('=').trim().split_once(" in ")?;
    let seconds = time.split(' ').next()?.strip_suffix('s')?;
    (counts.starts_with(|c: char| c.is_ascii_digit()) && seconds.parse::<f64>().is_ok()).then_some(counts)
}

fn node_test(line: &str) -> Option<(u64, &str)> {
    let rest = line.strip_prefix("# ").or_else(|| line.strip_prefix("ℹ "))?;
    let (word, number) = rest.split_once(' ')?;
    (word == "pass" || word == "fail").then_some(())?;
    Some((number.trim().parse().ok()?, word))
}

fn is_bare(line: &str) -> bool {
    let mut words = line.split([' ', ',']).filter(|word| !word.is_empty());
    words.next().is_some_and(|word| word.parse::<u64>().is_ok())
        && words.next() == Some("passed")
        && words.next().is_some_and(|word| word.parse::<u64>().is_ok())
        && words.next() == Some("failed")
}

/// The number right before a word: 3 in "3 passed".
fn before(text: &str, word: &str) -> Option<u64> {
    text.split([',', ';', '|', '.', '('])
        .filter_map(|part| part.trim().strip_suffix(word))
        .find_map(|number| number.trim().parse().ok())
}

/// Without the colours of the terminal.
fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            for code in letters.by_ref() {
                if code.is_ascii_alphabetic() {
                    break;
                }
            }
        } else {
            out.push(letter);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(passed: u64, failed: u64) -> Option<Counts> {
        Some(Counts { passed, failed })
    }

    #[test]
    fn cargo_test_is_read_binary_by_binary() {
        let text = "test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
                    test result: FAILED. 1 passed; 2 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s";
        assert_eq!(read(text), counts(4, 2));
    }

    #[test]
    fn nextest_is_read() {
        assert_eq!(
            read("     Summary [   0.01s] 12 tests run: 12 passed, 0 skipped"),
            counts(12, 0)
        );
        assert_eq!(
            read("     Summary [   0.01s] 1 test run: 1 passed, 3 skipped"),
            counts(1, 0)
        );
        assert_eq!(
            read(
                "\u{1b}[31;1m     Summary\u{1b}[0m [   0.01s] \u{1b}[1m3\u{1b}[0m tests run: 1 passed, 1 failed, 1 timed out, 0 skipped"
            ),
            counts(1, 2)
        );
    }

    #[test]
    fn vitest_is_read_without_its_files() {
        assert_eq!(
            read(" Test Files  2 passed (2)\n      Tests  1 failed | 7 passed (8)\n"),
            counts(7, 1)
        );
        assert_eq!(read("      Tests  \u{1b}[32m7 passed\u{1b}[39m (7)"), counts(7, 0));
    }

    #[test]
    fn node_and_pytest_are_read() {
        assert_eq!(read("# tests 4\n# pass 3\n# fail 1\n"), counts(3, 1));
        assert_eq!(read("ℹ pass 3\nℹ fail 0"), counts(3, 0));
        assert_eq!(read("===== 1 failed, 3 passed in 0.12s ====="), counts(3, 1));
        assert_eq!(read("===== 3 passed in 0.12s ====="), counts(3, 0));
        assert_eq!(read("2 failed, 321 passed in 306.61s (0:05:06)"), counts(321, 2));
    }

    #[test]
    fn a_bare_line_is_read() {
        assert_eq!(read("14 passed, 1 failed"), counts(14, 1));
        assert_eq!(read("nothing here: 14 passed the gate"), None);
    }
}
