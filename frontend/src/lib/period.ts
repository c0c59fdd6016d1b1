/** Dates of documents: what is printed stays as printed, and beside it stands what was understood, as exact as it says. */
import { fiscalYear, fiscalYearEnd, fiscalYearStart, formatDate, monthDayInFiscalYear, parseDate, parseFiscalYear, wafuFiscalYear, weekday } from "./date";

export interface Period {
  precision: "day" | "days" | "month" | "quarter" | "fiscal_year" | "year" | "range" | "undecided";
  start?: string | null;
  end?: string | null;
  days?: string[];
  printed?: string | null;
}

export interface Understood {
  when: Period;
  start_time?: string;
  end_time?: string;
}

const ERA = "(?:令和|平成|昭和|[RHS])(?:元|\\d{1,2})年|\\d{4}年";
const DAY = new RegExp(`((?:${ERA})?\\d{1,2}月\\d{1,2}日|(?:[RHS]\\d{1,2}|\\d{4})[./]\\d{1,2}[./]\\d{1,2}|(?<![\\d/.])\\d{1,2}/\\d{1,2}(?![\\d/]))(?:\\(([月火水木金土日])(?:・?祝)?\\))?`, "g");
const LAST_DAY_ONLY = /~(\d{1,2})日(?:\(([月火水木金土日])\))?/;
const MONTHS = new RegExp(`((?:${ERA})?)(\\d{1,2})月(?:~((?:${ERA})?)(\\d{1,2})月)?(?!\\d)`);
const TIMES = /(\d{1,2}):(\d{2})(?:~(\d{1,2}):(\d{2}))?/;

const clean = (text: string) => text.normalize("NFKC").replace(/[～〜]/g, "~").replace(/\s+/g, "");
const clock = (hour: string, minute: string) => `${hour.padStart(2, "0")}:${minute}`;
const lastDay = (date: string) => {
  const [year = 0, month = 0] = date.split("-").map(Number);
  return new Date(Date.UTC(year, month, 0)).toISOString().slice(0, 10);
};

interface PrintedDay {
  date: string;
  /** As printed behind the date. */
  weekday?: string;
}

/** Every day that the text names, in its order; 10日～11日 borrows the month. */
function printedDays(text: string, year: number): PrintedDay[] {
  const days: PrintedDay[] = [];
  for (const [, day = "", printed] of text.matchAll(DAY)) {
    const date = parseDate(day, year)?.date;
    if (date) days.push({ date, weekday: printed });
  }
  const last = LAST_DAY_ONLY.exec(text);
  const [first] = days;
  if (last && first && days.length === 1) {
    const date = parseDate(`${first.date.slice(0, 8)}${last[1]?.padStart(2, "0")}`)?.date;
    if (date) days.push({ date, weekday: last[2] });
  }
  return days;
}

/** 8月22日, 11月11日（月）13:30～15:30, 12月～2月, 5/20、6/17, 令和6年度: the fiscal year gives the year that is not printed. */
export function understandPeriod(printed: string, year: number): Understood {
  const text = clean(printed);
  const times = TIMES.exec(text);
  const clocks = {
    ...(times?.[1] && times[2] && { start_time: clock(times[1], times[2]) }),
    ...(times?.[3] && times[4] && { end_time: clock(times[3], times[4]) }),
  };
  const found = printedDays(times ? text.slice(0, times.index) + text.slice(times.index + times[0].length) : text, year);
  const [first, second] = found;
  if (first && second && found.length === 2 && text.includes("~")) {
    return { when: { precision: "range", start: first.date, end: second.date, printed }, ...clocks };
  }
  if (first && second) {
    const days = found.map(({ date }) => date);
    const sorted = [...days].sort();
    return { when: { precision: "days", start: sorted[0], end: sorted.at(-1), days, printed }, ...clocks };
  }
  if (first) return { when: { precision: "day", start: first.date, printed }, ...clocks };

  const months = MONTHS.exec(text);
  if (months) {
    const monthStart = (era: string, month: string) => (era ? parseDate(`${era}${month}月1日`)?.date : monthDayInFiscalYear(Number(month), 1, year));
    const start = monthStart(months[1] ?? "", months[2] ?? "");
    const until = months[4] ? monthStart(months[3] ?? "", months[4]) : start;
    if (start && until && until >= start) {
      return { when: { precision: months[4] ? "range" : "month", start, end: lastDay(until), printed }, ...clocks };
    }
  }
  const whole = parseFiscalYear(printed);
  if (whole !== null) return { when: { precision: "fiscal_year", start: fiscalYearStart(whole), end: fiscalYearEnd(whole), printed } };
  return { when: { precision: "undecided", printed } };
}

/** What was understood, in words; empty when nothing was. */
export function formatUnderstood({ precision, start, end, days }: Period): string {
  if (!start) return "";
  const month = (date: string) => formatDate(date, { weekday: false }).replace(/\d+日$/, "");
  switch (precision) {
    case "day":
      return formatDate(start);
    case "days":
      return (days ?? []).map((day) => formatDate(day)).join("、");
    case "month":
      return month(start);
    case "fiscal_year":
      return wafuFiscalYear(fiscalYear(start));
    case "year":
      return formatDate(start, { weekday: false }).replace(/\d+月\d+日$/, "");
    default: {
      // Whole months from the first day of one to the last day of another: printed as months.
      if (!end) return formatDate(start);
      const whole = start.endsWith("-01") && end === lastDay(end);
      return whole ? `${month(start)}～${month(end)}` : `${formatDate(start)}～${formatDate(end)}`;
    }
  }
}

/** Printed text if there is one, else what is stored. */
export const formatPeriod = (period: Period) => period.printed || formatUnderstood(period) || "未定";

/** Days whose printed weekday is not theirs: 12月10日（月） was a Tuesday. */
export function wrongWeekdays(printed: string, year: number): { date: string; printed: string; actual: string }[] {
  return printedDays(clean(printed), year).flatMap(({ date, weekday: said }) => {
    const actual = weekday(date);
    return said && said !== actual ? [{ date, printed: said, actual }] : [];
  });
}
