import { formatDate, parseDate, type ParsedDate } from "../lib/date";
import { TextField, useComposing, type TextFieldProps } from "./fields";

const WARNINGS = {
  out_of_era: "元号の期間の外にある日付です。",
  weekday_mismatch: "入力された曜日が日付と合いません。",
};

export interface DateFieldProps extends Omit<TextFieldProps, "onChange" | "type" | "suffix" | "action"> {
  /** The text as typed; an ISO date is understood too, so a stored value can be passed as it is. */
  onChange: (typed: string, parsed: ParsedDate | null) => void;
  /** With it, 12/7 and 2月16日 are accepted and fall into this fiscal year. */
  fiscalYear?: number;
}

/** One text input for a date in any usual notation; shows the date it understood, with the weekday. */
export function DateField({ value, onChange, fiscalYear, hint, error, ...props }: DateFieldProps) {
  const { composing, handlers } = useComposing();
  const parsed = parseDate(value, fiscalYear);
  const examples = fiscalYear === undefined ? "例：令和6年4月1日、R6.4.1、2024/4/1" : "例：令和6年4月1日、R6.4.1、4/1";
  const unreadable =
    composing || value.trim() === "" || parsed ? undefined : "日付を読み取れません。令和6年4月1日 または 2024/4/1 のように入力してください。";
  return (
    <div {...handlers}>
      <TextField
        {...props}
        value={value}
        onChange={(typed) => onChange(typed, parseDate(typed, fiscalYear))}
        error={error}
        hint={
          <>
            {hint}
            <span className="block text-sm">{examples}</span>
            <span className="block min-h-[1.7em]" aria-live="polite">
              {!composing && parsed && (
                <>
                  {formatDate(parsed.date)}
                  {parsed.warnings.map((warning) => (
                    <strong key={warning} className="ms-2 text-warning-orange-2">
                      ▲{WARNINGS[warning]}
                    </strong>
                  ))}
                </>
              )}
              {unreadable}
            </span>
          </>
        }
      />
    </div>
  );
}
