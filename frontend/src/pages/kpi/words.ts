/** What the codes of a KPI mean in words, and how values, periods and targets are read and judged. */
import type { components } from "../../api";
import {
  fiscalYear,
  fiscalYearEnd,
  fiscalYearShort,
  fiscalYearStart,
  formatDate,
  formatDateShort,
  wafuFiscalYear,
} from "../../lib/date";
import { addDecimals, compareDecimals, divideDecimals, formatDecimal, formatPointChange, subtractDecimals } from "../../lib/decimal";

type Schemas = components["schemas"];
export type Kpi = Schemas["Kpi"];
export type KpiDetail = Schemas["KpiDetail"];
export type Observation = Schemas["KpiObservation"];
export type Target = Schemas["KpiTarget"];
export type Series = Schemas["KpiSeries"];
export type PeriodKind = Schemas["PeriodKind"];

export const VALUE_TYPES: Record<Schemas["ValueType"], { label: string; hint: string }> = {
  number: { label: "数値", hint: "人数、回数、か所数など。合計できる数です。" },
  ratio: { label: "割合", hint: "分子と分母を記録します。集計できるように、割合だけを平均しません。" },
  state: { label: "状態", hint: "設置済み、未設置など、短い言葉で表します。" },
  text: { label: "文章", hint: "文章で成果を記述します。" },
};

export const DIRECTIONS: Record<Schemas["Direction"], string> = {
  increase: "増えるほどよい",
  decrease: "減るほどよい",
  keep: "現在の水準を保つ",
  range: "一定の範囲に保つ",
  milestone: "達成したかどうか",
  none: "定めない",
};

export const TIME_RULES: Record<Schemas["TimeRule"], { label: string; words: string }> = {
  sum: { label: "合計する", words: "月などの短い期間の値を足して、年度の値にします。" },
  last: { label: "期末の値を使う", words: "期間の最後に記録した値を、年度の値にします。" },
  mean: { label: "平均する", words: "短い期間の値を平均して、年度の値にします。" },
  maximum: { label: "最大の値を使う", words: "期間の中で最も大きい値を、年度の値にします。" },
  minimum: { label: "最小の値を使う", words: "期間の中で最も小さい値を、年度の値にします。" },
  cumulative: { label: "累計", words: "値にはそれまでの分がすでに含まれています。足し合わせず、最後の値を使います。" },
  none: { label: "合算しない", words: "異なる期間の値をまとめることはできません。" },
};

export const AREA_RULES: Record<Schemas["AreaRule"], { label: string; words: string }> = {
  sum: { label: "合計する", words: "地域や団体の値を足して、全体の値にします。" },
  ratio: { label: "分子と分母から求める", words: "分子どうし、分母どうしを足してから割ります。割合そのものは平均しません。" },
  none: { label: "合算しない", words: "地域や団体の値を足したり平均したりしません。全体の値は別に記録します。" },
};

export const FREQUENCIES: Record<Schemas["Frequency"], string> = {
  fiscal_year: "年度ごと",
  quarter: "四半期ごと",
  month: "毎月",
  day: "毎日",
  irregular: "不定期",
};

export const PERIOD_KINDS: Record<PeriodKind, string> = {
  fiscal_year: "年度",
  quarter: "四半期",
  month: "月",
  day: "日",
  range: "期間（始まりと終わり）",
};

export const MISSING: Record<Schemas["MissingReason"], string> = {
  not_available: "不詳",
  not_carried_out: "未実施",
  not_applicable: "該当なし",
  not_yet_due: "期限前",
  suppressed: "秘匿",
};

export const QUALITIES: Record<Schemas["Quality"], string> = { provisional: "速報・概数", final: "確定", estimated: "推計" };

export const TARGET_KINDS: Record<Schemas["TargetKind"], { label: string; hint: string }> = {
  numeric: { label: "数値", hint: "例：40人以上" },
  qualitative: { label: "文章", hint: "例：すべての町で連絡会を設置する" },
  not_set: { label: "数値目標は設定しない", hint: "理由を「考え方」に書きます。" },
};

export const COMPARATORS: Record<Schemas["Comparator"], string> = {
  at_least: "以上",
  at_most: "以下",
  equal: "と同じ",
  between: "から上限まで",
};

export const VISIBILITIES: Record<Schemas["Visibility"], string> = {
  organization: "庁内限り（自分の組織）",
  partners: "関係者限り（プラットフォームと計画の関係者）",
  public: "公開（公表後は誰でも閲覧できます）",
};

export const optionsOf = <K extends string>(words: Record<K, string | { label: string }>) =>
  (Object.entries(words) as [K, string | { label: string }][]).map(([value, word]) => ({
    value,
    label: typeof word === "string" ? word : word.label,
  }));

// ---------------------------------------------------------------------------------------------
// Periods

const monthOf = (date: string) => Number(date.slice(5, 7));
const lastDay = (year: number, month: number) => new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
const pad = (month: number) => String(month).padStart(2, "0");
/** 令和6年4月 */
const wafuMonth = (date: string) => formatDate(`${date.slice(0, 7)}-01`, { weekday: false }).replace(/1日$/, "");

interface Span {
  period_kind: PeriodKind;
  period_start: string;
  period_end: string;
}

/** The period of `months` months that begins in this month of the fiscal year: January belongs to the year after. */
export function monthsOf(year: number, firstMonth: number, months: 1 | 3): { start: string; end: string } {
  const calendar = firstMonth >= 4 ? year : year + 1;
  return { start: `${calendar}-${pad(firstMonth)}-01`, end: lastDay(calendar, firstMonth + months - 1) };
}

export const yearOf = (year: number) => ({ start: fiscalYearStart(year), end: fiscalYearEnd(year) });

export function formatPeriod({ period_kind: kind, period_start: start, period_end: end }: Span): string {
  switch (kind) {
    case "fiscal_year":
      return wafuFiscalYear(fiscalYear(start));
    case "quarter":
      return `${wafuMonth(start)}～${monthOf(end)}月`;
    case "month":
      return wafuMonth(start);
    case "day":
      return formatDate(start);
    case "range":
      return `${formatDate(start, { weekday: false })}～${formatDate(end, { weekday: false })}`;
  }
}

/** For charts: R6, R6.4, R6.4～6, R6.4.1. */
export function shortPeriod({ period_kind: kind, period_start: start, period_end: end }: Span): string {
  const short = formatDateShort(start);
  const month = short.slice(0, short.lastIndexOf("."));
  switch (kind) {
    case "fiscal_year":
      return fiscalYearShort(fiscalYear(start));
    case "quarter":
      return `${month}～${monthOf(end)}`;
    case "month":
      return month;
    case "day":
      return short;
    case "range":
      return `${short}～`;
  }
}

// ---------------------------------------------------------------------------------------------
// Values

export const isPercent = (kpi: { unit?: string | null }) => /^[%％]$/.test(kpi.unit?.trim() ?? "");

type Numbered = Pick<Observation, "number" | "numerator" | "denominator">;

/** The one number of a value, in the unit of the KPI; a range, a state and a missing value have none. */
export function numberOf(observation: Numbered, kpi: Pick<Kpi, "unit" | "decimals">): string | null {
  const { number, numerator, denominator } = observation;
  if (number) return number;
  if (!numerator || !denominator) return null;
  const percent = isPercent(kpi);
  return divideDecimals(numerator, denominator, kpi.decimals ?? (percent ? 1 : 3), percent ? 100 : 1);
}

/** 41%, 約25人, 23～24人, 39.9%（65／163）, 設置済み, 未実施 */
export function formatValue(observation: Observation, kpi: Pick<Kpi, "unit" | "decimals">): string {
  const { low, high, numerator, denominator, state, missing_reason: missing, approximate } = observation;
  if (missing) return MISSING[missing];
  if (state) return state;
  const about = approximate ? "約" : "";
  const unit = kpi.unit ?? "";
  if (low && high) return `${about}${formatDecimal(low)}～${formatDecimal(high)}${unit}`;
  const number = numberOf(observation, kpi);
  if (number === null) return "－";
  const parts = numerator && denominator ? `（${formatDecimal(numerator)}／${formatDecimal(denominator)}）` : "";
  return `${about}${formatDecimal(number)}${unit}${parts}`;
}

/** The change from one number to another: in points for a percentage. */
export function formatChange(from: string, to: string, kpi: { unit?: string | null }): string {
  if (isPercent(kpi)) return formatPointChange(from, to);
  const change = subtractDecimals(to, from);
  const order = compareDecimals(change, "0");
  return `${order === 0 ? "±" : order > 0 ? "＋" : ""}${formatDecimal(change)}${kpi.unit ?? ""}`;
}

export function formatTarget(target: Target, kpi: { unit?: string | null }): string {
  const unit = kpi.unit ?? "";
  if (target.kind === "not_set") return "数値目標は設定しない";
  if (target.kind === "qualitative") return target.text ?? "";
  const value = target.value ? formatDecimal(target.value) : "";
  if (target.comparator === "between") return `${value}～${target.high ? formatDecimal(target.high) : ""}${unit}`;
  return `${value}${unit}${target.comparator === "equal" ? "" : COMPARATORS[target.comparator]}`;
}

/** Revisions of one period, newest first. */
export interface Recorded {
  key: string;
  newest: Observation;
  revisions: Observation[];
}

/** Observations by period, in the order of time; within a period the newest revision counts. */
export function byPeriod(observations: readonly Observation[]): Recorded[] {
  const periods = new Map<string, Observation[]>();
  for (const observation of observations) {
    const key = [observation.series_id, observation.period_start, observation.period_kind, observation.period_end].join(" ");
    periods.set(key, [...(periods.get(key) ?? []), observation]);
  }
  return [...periods].flatMap(([key, all]) => {
    const revisions = [...all].sort((a, b) => b.revision - a.revision);
    return revisions[0] ? [{ key, newest: revisions[0], revisions }] : [];
  });
}

/** The whole of a year put together from its parts, by the time rule of the KPI. */
export interface YearValue extends Observation {
  /** How: 合計, 平均 …; absent where somebody recorded this very value. */
  derived?: string;
}

/**
 * The value that stands for a fiscal year: the one recorded for it, else what the time rule makes of its months,
 * quarters or days. A rule that forbids it, texts and ranges give none.
 */
export function valueOfYear(observations: readonly Observation[], year: number, kpi: Pick<Kpi, "time_rule" | "frequency" | "value_type" | "unit" | "decimals">): YearValue | undefined {
  const inYear = byPeriod(observations)
    .map(({ newest }) => newest)
    .filter(({ period_start: start }) => fiscalYear(start) === year)
    .sort((a, b) => a.period_end.localeCompare(b.period_end));
  const recorded = inYear.find(({ period_kind: kind }) => kind === "fiscal_year");
  const last = inYear.at(-1);
  if (recorded ?? !last) return recorded;
  if (kpi.time_rule === "last" || kpi.time_rule === "cumulative" || kpi.value_type === "state" || kpi.value_type === "text") return last;
  const kind = inYear.some(({ period_kind: each }) => each === kpi.frequency) ? kpi.frequency : last.period_kind;
  const parts = inYear.filter(({ period_kind: each, missing_reason: missing }) => each === kind && !missing);
  const [first, end] = [parts[0], parts.at(-1)];
  if (!first || !end) return last.missing_reason ? last : undefined;
  const ratio = parts.every(({ numerator, denominator }) => numerator && denominator);
  const numbers = parts.flatMap((part) => numberOf(part, kpi) ?? []);
  if (kpi.time_rule === "none" || numbers.length < parts.length) return undefined;
  const whole: Observation = {
    ...end,
    period_kind: "range",
    period_start: first.period_start,
    number: null,
    numerator: null,
    denominator: null,
    approximate: parts.some(({ approximate }) => approximate),
    quality: parts.every(({ quality }) => quality === "final") ? "final" : "provisional",
  };
  const sum = (values: readonly (string | null)[]) => values.reduce<string>((total, value) => addDecimals(total, value ?? "0"), "0");
  switch (kpi.time_rule) {
    case "sum":
      if (ratio) return { ...whole, numerator: sum(parts.map((part) => part.numerator)), denominator: sum(parts.map((part) => part.denominator)), derived: "分子と分母の合計から計算" };
      // The sum of percentages is no percentage.
      return kpi.value_type === "ratio" ? undefined : { ...whole, number: sum(numbers), derived: "合計" };
    case "mean":
      return kpi.value_type === "ratio" ? undefined : { ...whole, number: divideDecimals(sum(numbers), String(numbers.length), kpi.decimals ?? 1), derived: "平均" };
    default: {
      const sorted = [...numbers].sort(compareDecimals);
      return { ...whole, number: (kpi.time_rule === "maximum" ? sorted.at(-1) : sorted[0]) ?? null, derived: kpi.time_rule === "maximum" ? "最大" : "最小" };
    }
  }
}

/** Targets in force, one a fiscal year: a replaced one does not count. */
export function targetInForce(targets: readonly Target[], year: number): Target | undefined {
  return targets.filter((target) => target.fiscal_year === year).sort((a, b) => b.revision - a.revision)[0];
}

export type Standing = "achieved" | "not_achieved" | "no_value" | "undecided" | "no_target";

/** Is the target reached? A range that contains the target, a state and a sentence are for people to judge. */
export function standingOf(observation: Observation | undefined, target: Target | undefined, kpi: Pick<Kpi, "unit" | "decimals">): Standing {
  if (!observation || observation.missing_reason) return "no_value";
  if (!target || target.kind === "not_set") return "no_target";
  if (target.kind === "qualitative" || !target.value) return "undecided";
  const number = numberOf(observation, kpi);
  const low = observation.low ?? number;
  const high = observation.high ?? number;
  if (!low || !high) return "undecided";
  const reaches = (value: string) => {
    const order = compareDecimals(value, target.value ?? "0");
    if (target.comparator === "at_least") return order >= 0;
    if (target.comparator === "at_most") return order <= 0;
    if (target.comparator === "equal") return order === 0;
    return order >= 0 && target.high !== null && compareDecimals(value, target.high) <= 0;
  };
  if (reaches(low) === reaches(high)) return reaches(low) ? "achieved" : "not_achieved";
  return "undecided";
}

/** Baseline and value from different sources cannot simply be compared (別の調査どうしの比較). */
export function sourcesDiffer(kpi: Pick<Kpi, "baseline">, observation: Observation | undefined): boolean {
  const [ours, theirs] = [observation?.source?.trim(), kpi.baseline?.source?.trim()];
  return Boolean(ours && theirs && ours !== theirs);
}
