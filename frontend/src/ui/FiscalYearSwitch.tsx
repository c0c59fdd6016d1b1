import { useNavigate } from "@tanstack/react-router";
import { useId } from "react";
import { currentFiscalYear, fiscalYearLabel } from "../lib/date";
import { Button } from "./Button";
import { useFiscalYear } from "./search";

/** Previous, chosen and next fiscal year; writes `fy` into the address. */
export function FiscalYearSwitch({ from = 2015, to = currentFiscalYear() + 8 }: { from?: number; to?: number }) {
  const year = useFiscalYear();
  const navigate = useNavigate();
  const id = useId();
  // Another year is another view: the back button returns to the year before.
  const go = (next: number) =>
    void navigate({ to: ".", search: (previous: Record<string, unknown>) => ({ ...previous, fy: next }), resetScroll: false });
  const first = Math.min(from, year);
  const years = Array.from({ length: Math.max(to, year) - first + 1 }, (_, index) => first + index);
  return (
    <div className="flex flex-wrap items-center gap-1" role="group" aria-label="表示する年度">
      <Button variant="text" size="sm" onClick={() => go(year - 1)} aria-label={`前の年度（${fiscalYearLabel(year - 1)}）`}>
        ◀
      </Button>
      <label htmlFor={id} className="sr-only">
        表示する年度
      </label>
      <select id={id} className="control h-10 w-auto font-bold" value={year} onChange={(event) => go(Number(event.target.value))}>
        {years.map((option) => (
          <option key={option} value={option}>
            {fiscalYearLabel(option)}
          </option>
        ))}
      </select>
      <Button variant="text" size="sm" onClick={() => go(year + 1)} aria-label={`次の年度（${fiscalYearLabel(year + 1)}）`}>
        ▶
      </Button>
    </div>
  );
}
