import { describe, expect, it } from "vitest";
import { byPeriod, formatChange, formatPeriod, formatTarget, formatValue, monthsOf, shortPeriod, sourcesDiffer, standingOf, valueOfYear, type Kpi, type Observation, type Target } from "./words";

const observation = (part: Partial<Observation>): Observation => ({
  id: "o1", version: 1, owner_org_id: "org", kpi_id: "k", series_id: "k", created_at: "2025-04-10T00:00:00Z", recorded_by: null, revision: 1,
  period_kind: "fiscal_year", period_start: "2024-04-01", period_end: "2025-03-31", number: null, low: null, high: null, numerator: null, denominator: null,
  state: null, missing_reason: null, approximate: false, printed: null, quality: "final", series_break: false, source: null, note: null, reason: null, supersedes_id: null,
  ...part,
});
const target = (part: Partial<Target>): Target => ({
  id: "t1", version: 1, owner_org_id: "org", kpi_id: "k", created_at: "2024-04-01T00:00:00Z", revision: 1, fiscal_year: 2024, kind: "numeric", comparator: "at_least",
  value: "40", high: null, text: null, rationale: null, scope: null, printed: null, reason: null, supersedes_id: null,
  ...part,
});
const percent: Pick<Kpi, "unit" | "decimals"> = { unit: "%", decimals: null };
const month = (first: number, number: string | null, part: Partial<Observation> = {}) => {
  const { start, end } = monthsOf(2024, first, 1);
  return observation({ id: `m${first}`, period_kind: "month", period_start: start, period_end: end, number, ...part });
};

describe("values", () => {
  it("shows a ratio with its parts, a range, an approximate and a missing value", () => {
    expect(formatValue(observation({ numerator: "65", denominator: "163" }), percent)).toBe("39.9%（65／163）");
    expect(formatValue(observation({ low: "23", high: "24", approximate: true }), { unit: "名", decimals: null })).toBe("約23～24名");
    expect(formatValue(observation({ missing_reason: "not_carried_out" }), percent)).toBe("未実施");
    expect(formatValue(observation({ number: "0" }), percent)).toBe("0%");
  });
  it("shows a change of a percentage in points", () => {
    expect(formatChange("23.3", "41", percent)).toBe("＋17.7ポイント");
    expect(formatChange("12", "9", { unit: "人" })).toBe("△3人");
  });
  it("takes the newest revision of each period", () => {
    const rows = byPeriod([observation({ id: "a", number: "1" }), observation({ id: "b", number: "2", revision: 2 })]);
    expect(rows.map(({ newest, revisions }) => [newest.id, revisions.length])).toEqual([["b", 2]]);
  });
  it("says when baseline and value come from different sources", () => {
    const baseline = { value: "23.3", source: "令和5年度市民意識調査" };
    expect(sourcesDiffer({ baseline }, observation({ source: "養成講座アンケート" }))).toBe(true);
    expect(sourcesDiffer({ baseline }, observation({ source: null }))).toBe(false);
  });
});

describe("valueOfYear", () => {
  const kpi = { time_rule: "sum", frequency: "month", value_type: "number", unit: "件", decimals: null } as const;
  it("prefers what was recorded for the year", () => {
    expect(valueOfYear([month(4, "5"), observation({ number: "70" })], 2024, kpi)?.number).toBe("70");
  });
  it("follows the time rule: sum, last, maximum, none", () => {
    const months = [month(4, "12"), month(5, "0"), month(6, null, { missing_reason: "not_available" }), month(1, "15.5")];
    expect(valueOfYear(months, 2024, kpi)).toMatchObject({ number: "27.5", period_start: "2024-04-01", period_end: "2025-01-31" });
    expect(valueOfYear(months, 2024, { ...kpi, time_rule: "cumulative" })?.number).toBe("15.5");
    expect(valueOfYear(months, 2024, { ...kpi, time_rule: "maximum" })?.number).toBe("15.5");
    expect(valueOfYear(months, 2024, { ...kpi, time_rule: "none" })).toBeUndefined();
  });
  it("never adds or averages percentages, but their parts", () => {
    const ratio = { ...kpi, value_type: "ratio", unit: "%" } as const;
    expect(valueOfYear([month(4, "40"), month(5, "60")], 2024, ratio)).toBeUndefined();
    expect(valueOfYear([month(4, "40"), month(5, "60")], 2024, { ...ratio, time_rule: "mean" })).toBeUndefined();
    const parts = [month(4, null, { numerator: "1", denominator: "2" }), month(5, null, { numerator: "1", denominator: "8" })];
    expect(valueOfYear(parts, 2024, ratio)).toMatchObject({ numerator: "2", denominator: "10" });
  });
});

describe("standingOf", () => {
  it("compares by the target's condition", () => {
    expect(standingOf(observation({ number: "40" }), target({}), percent)).toBe("achieved");
    expect(standingOf(observation({ number: "39.9" }), target({}), percent)).toBe("not_achieved");
    expect(standingOf(observation({ number: "39.9" }), target({ comparator: "at_most" }), percent)).toBe("achieved");
    expect(standingOf(observation({ number: "45" }), target({ comparator: "between", high: "44" }), percent)).toBe("not_achieved");
  });
  it("leaves to people what a number does not decide", () => {
    expect(standingOf(observation({ low: "38", high: "42" }), target({}), percent)).toBe("undecided");
    expect(standingOf(observation({ state: "設置済み" }), target({ kind: "qualitative", value: null, text: "設置する" }), percent)).toBe("undecided");
    expect(standingOf(observation({ missing_reason: "not_yet_due" }), target({}), percent)).toBe("no_value");
    expect(standingOf(observation({ number: "41" }), target({ kind: "not_set", value: null }), percent)).toBe("no_target");
  });
});

describe("periods and targets", () => {
  it("puts January to March into the fiscal year that began before", () => {
    expect(monthsOf(2024, 2, 1)).toEqual({ start: "2025-02-01", end: "2025-02-28" });
    expect(monthsOf(2024, 1, 3)).toEqual({ start: "2025-01-01", end: "2025-03-31" });
  });
  it("names periods long and short", () => {
    const quarter = { period_kind: "quarter", period_start: "2025-01-01", period_end: "2025-03-31" } as const;
    expect([formatPeriod(quarter), shortPeriod(quarter)]).toEqual(["令和7年1月～3月", "R7.1～3"]);
    expect(formatPeriod(month(4, "1"))).toBe("令和6年4月");
  });
  it("writes a target with its condition", () => {
    expect(formatTarget(target({}), percent)).toBe("40%以上");
    expect(formatTarget(target({ comparator: "between", high: "50" }), percent)).toBe("40～50%");
    expect(formatTarget(target({ kind: "not_set", value: null }), percent)).toBe("数値目標は設定しない");
  });
});
