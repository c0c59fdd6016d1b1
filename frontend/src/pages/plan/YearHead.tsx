import { fiscalYearShort } from "../../lib/date";

/** 2021（R3）年度 at the head of a row or column; a narrow one breaks before the era. */
export function YearHead({ year }: { year: number }) {
  return (
    <>
      <span className="inline-block">{year}</span>
      <span className="inline-block whitespace-nowrap">（{fiscalYearShort(year)}）年度</span>
    </>
  );
}
