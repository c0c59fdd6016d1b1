/**
 * Calendar dates and fiscal years as Japanese offices write them. A date is an ISO string
 * (`2024-04-01`), never a `Date`: a `Date` carries a time zone, and a calendar date has none.
 */

interface Era {
  name: string;
  letter: string;
  /** First day of the era. */
  start: string;
  /** Western year = base + year of the era. */
  base: number;
}

const ERAS: readonly Era[] = [
  { name: "令和", letter: "R", start: "2019-05-01", base: 2018 },
  { name: "平成", letter: "H", start: "1989-01-08", base: 1988 },
  { name: "昭和", letter: "S", start: "1926-12-25", base: 1925 },
  { name: "大正", letter: "T", start: "1912-07-30", base: 1911 },
  { name: "明治", letter: "M", start: "1868-10-23", base: 1867 },
];

const WEEKDAYS = "日月火水木金土";

export type DateWarning = "out_of_era" | "weekday_mismatch";
export interface ParsedDate {
  date: string;
  warnings: DateWarning[];
}

const pad = (value: number, width: number) => String(value).padStart(width, "0");

/** ISO date of a day that exists, or null (2025-02-29, month 13). */
function isoDate(year: number, month: number, day: number): string | null {
  const date = new Date(Date.UTC(year, month - 1, day));
  const exists =
    date.getUTCFullYear() === year && date.getUTCMonth() === month - 1 && date.getUTCDate() === day;
  return exists ? `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}` : null;
}

function parts(date: string): { year: number; month: number; day: number } {
  const [year = 0, month = 0, day = 0] = date.split("-").map(Number);
  return { year, month, day };
}

export function weekday(date: string): string {
  const { year, month, day } = parts(date);
  return WEEKDAYS.charAt(new Date(Date.UTC(year, month - 1, day)).getUTCDay());
}

/** The date in Japan at this instant. */
export function todayInJapan(now: Date = new Date()): string {
  // Japan has had no daylight saving time since 1951: UTC+9 all year.
  return new Date(now.getTime() + 9 * 3_600_000).toISOString().slice(0, 10);
}

export function fiscalYear(date: string): number {
  const { year, month } = parts(date);
  return month >= 4 ? year : year - 1;
}

export const currentFiscalYear = (now?: Date) => fiscalYear(todayInJapan(now));

export const fiscalYearStart = (year: number) => `${year}-04-01`;
export const fiscalYearEnd = (year: number) => `${year + 1}-03-31`;

const eraYear = (year: number) => (year === 1 ? "元" : String(year));

/** Era of the calendar year in which the fiscal year starts: 2019 is 令和元年度, 1988 is 昭和63年度. */
function eraOfYear(year: number): Era | undefined {
  return ERAS.find((era) => year > era.base);
}

/** 令和6年度 */
export function wafuFiscalYear(year: number): string {
  const era = eraOfYear(year);
  return era ? `${era.name}${eraYear(year - era.base)}年度` : `${year}年度`;
}

/** 令和6年度（2024年度）: the label of headings, switches and forms. */
export const fiscalYearLabel = (year: number) => `${wafuFiscalYear(year)}（${year}年度）`;

/** R6: the label inside tables and charts, where the heading gives the long form. */
export function fiscalYearShort(year: number): string {
  const era = eraOfYear(year);
  return era ? `${era.letter}${year - era.base}` : String(year);
}

/** 令和6年4月1日（月） */
export function formatDate(date: string, options: { weekday?: boolean } = {}): string {
  const { year, month, day } = parts(date);
  const era = ERAS.find((candidate) => date >= candidate.start);
  const head = era ? `${era.name}${eraYear(year - era.base)}年` : `${year}年`;
  const tail = options.weekday === false ? "" : `（${weekday(date)}）`;
  return `${head}${month}月${day}日${tail}`;
}

/** R6.4.1 */
export function formatDateShort(date: string): string {
  const { year, month, day } = parts(date);
  const era = ERAS.find((candidate) => date >= candidate.start);
  return `${era ? `${era.letter}${year - era.base}` : year}.${month}.${day}`;
}

/** 令和6年4月1日（月）9:05 in Japan, from an RFC 3339 instant. */
export function formatInstant(instant: string): string {
  const japan = new Date(new Date(instant).getTime() + 9 * 3_600_000).toISOString();
  return `${formatDate(japan.slice(0, 10))}${Number(japan.slice(11, 13))}:${japan.slice(14, 16)}`;
}

/** NFKC turns full-width digits, ㋿ and （） into what the patterns below expect; spaces never matter. */
const clean = (typed: string) => typed.normalize("NFKC").replace(/\s+/g, "");

const YEAR = "(?:(令和|平成|昭和|大正|明治|[RHSTM])(元|\\d{1,2})|(\\d{4}))";
const FULL_DATE = [
  new RegExp(`^${YEAR}年(\\d{1,2})月(\\d{1,2})日$`, "i"),
  new RegExp(`^${YEAR}[./-](\\d{1,2})[./-](\\d{1,2})$`, "i"),
];
const MONTH_DAY = /^(\d{1,2})(?:月(\d{1,2})日|[./-](\d{1,2}))$/;
const WEEKDAY_SUFFIX = /\(([月火水木金土日])\)/;

const eraNamed = (name: string) =>
  ERAS.find((era) => era.name === name || era.letter === name.toUpperCase());

function westernYear(eraName: string | undefined, inEra: string | undefined, western: string | undefined): number | null {
  if (!eraName) return Number(western);
  const era = eraNamed(eraName);
  const year = inEra === "元" ? 1 : Number(inEra);
  return era && year >= 1 ? era.base + year : null;
}

/**
 * A date as typed by staff, or null. With `fiscalYearContext`, 12/7 and 2月16日（月） are accepted
 * and fall into that fiscal year. Doubtful input (a wrong weekday, 平成35年) is understood and
 * comes back with a warning: printed sources contain such dates, and nobody may correct them silently.
 */
export function parseDate(typed: string, fiscalYearContext?: number): ParsedDate | null {
  const text = clean(typed);
  const printedWeekday = WEEKDAY_SUFFIX.exec(text)?.[1];
  const body = text.replace(WEEKDAY_SUFFIX, "");
  const warnings: DateWarning[] = [];
  let date: string | null = null;

  const full = FULL_DATE[0]?.exec(body) ?? FULL_DATE[1]?.exec(body);
  if (full) {
    const year = westernYear(full[1], full[2], full[3]);
    date = year === null ? null : isoDate(year, Number(full[4]), Number(full[5]));
    if (date && full[1]) {
      const index = ERAS.findIndex((era) => era === eraNamed(full[1] ?? ""));
      const era = ERAS[index];
      const next = ERAS[index - 1];
      if ((era && date < era.start) || (next && date >= next.start)) warnings.push("out_of_era");
    }
  } else if (/^\d{8}$/.test(body)) {
    date = isoDate(Number(body.slice(0, 4)), Number(body.slice(4, 6)), Number(body.slice(6)));
  } else if (fiscalYearContext !== undefined) {
    const short = MONTH_DAY.exec(body);
    if (short) date = monthDayInFiscalYear(Number(short[1]), Number(short[2] ?? short[3]), fiscalYearContext);
  }

  if (!date) return null;
  if (printedWeekday && printedWeekday !== weekday(date)) warnings.push("weekday_mismatch");
  return { date, warnings };
}

/** 1/26 in fiscal year 2024 is 2025-01-26. */
export function monthDayInFiscalYear(month: number, day: number, year: number): string | null {
  return isoDate(month >= 4 ? year : year + 1, month, day);
}

const FY_WESTERN_WITH_ERA = /^(\d{4})\(([RHS])(元|\d{1,2})\)年度?$/i;
const FY_ERA_WITH_WESTERN = /^(令和|平成|昭和|[RHS])(元|\d{1,2})\((\d{4})年?\)年度$/i;
const FY_PLAIN = [new RegExp(`^${YEAR}年?度$`, "i"), new RegExp(`^(?:FY)?${YEAR}$`, "i")];

/** A fiscal year as typed or printed (令和6年度, R6, 2024（R6）年度, FY2024), or null. */
export function parseFiscalYear(typed: string): number | null {
  const text = clean(typed);
  const western = FY_WESTERN_WITH_ERA.exec(text);
  if (western) return agree(Number(western[1]), westernYear(western[2], western[3], undefined));
  const era = FY_ERA_WITH_WESTERN.exec(text);
  if (era) return agree(Number(era[3]), westernYear(era[1], era[2], undefined));
  const plain = FY_PLAIN[0]?.exec(text) ?? FY_PLAIN[1]?.exec(text);
  return plain ? westernYear(plain[1], plain[2], plain[3]) : null;
}

const agree = (a: number, b: number | null) => (a === b ? a : null);
