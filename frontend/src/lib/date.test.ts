import { describe, expect, it } from "vitest";
import {
  currentFiscalYear,
  fiscalYear,
  fiscalYearEnd,
  fiscalYearLabel,
  fiscalYearShort,
  fiscalYearStart,
  formatDate,
  formatDateShort,
  formatInstant,
  monthDayInFiscalYear,
  parseDate,
  parseFiscalYear,
  todayInJapan,
  wafuFiscalYear,
  weekday,
} from "./date";
import vectors from "./fixtures/date_vectors.json";

describe("parseDate", () => {
  it.each(vectors.dates)("$input", ({ input, date, warnings }) => {
    expect(parseDate(input)).toEqual(date === null ? null : { date, warnings });
  });
  it.each(vectors.month_day_in_fiscal_year)("$printed in FY$fiscal_year", (vector) => {
    expect(parseDate(vector.printed, vector.fiscal_year)).toEqual({ date: vector.date, warnings: [] });
    expect(monthDayInFiscalYear(vector.month, vector.day, vector.fiscal_year)).toBe(vector.date);
  });
  it("warns about a wrong weekday of a date without a year", () => {
    expect(parseDate("2/16（火）", 2025)).toEqual({ date: "2026-02-16", warnings: ["weekday_mismatch"] });
  });
});

describe("fiscal years", () => {
  it.each(vectors.fiscal_year_labels)("parses $input", ({ input, fiscal_year }) => {
    expect(parseFiscalYear(input)).toBe(fiscal_year);
  });
  it.each(vectors.fiscal_years)("$date", (vector) => {
    expect(fiscalYear(vector.date)).toBe(vector.fiscal_year);
    expect(wafuFiscalYear(vector.fiscal_year)).toBe(vector.label);
    expect(fiscalYearStart(vector.fiscal_year)).toBe(vector.start);
    expect(fiscalYearEnd(vector.fiscal_year)).toBe(vector.end);
    expect(formatDate(vector.date, { weekday: false })).toBe(vector.wareki);
    expect(formatDateShort(vector.date)).toBe(vector.wareki_short);
  });
  it("labels", () => {
    expect(fiscalYearLabel(2024)).toBe("令和6年度（2024年度）");
    expect(fiscalYearShort(2019)).toBe("R1");
    expect(formatDate("2024-04-01")).toBe("令和6年4月1日（月）");
    expect(weekday("2026-02-16")).toBe("月");
  });
  it("changes the year at midnight in Japan", () => {
    expect(currentFiscalYear(new Date("2025-03-31T14:59:59Z"))).toBe(2024);
    expect(currentFiscalYear(new Date("2025-03-31T15:00:00Z"))).toBe(2025);
    expect(todayInJapan(new Date("2024-12-31T15:00:00Z"))).toBe("2025-01-01");
    expect(formatInstant("2024-03-31T15:05:00Z")).toBe("令和6年4月1日（月）0:05");
  });
});
