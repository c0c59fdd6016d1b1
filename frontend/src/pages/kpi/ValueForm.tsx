import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, fieldErrors, useWrite, type components } from "../../api";
import { currentFiscalYear, fiscalYear, fiscalYearLabel, formatInstant, parseDate } from "../../lib/date";
import { formatDecimal, parseNumber } from "../../lib/decimal";
import {
  announce,
  Checkbox,
  DateField,
  fieldsOf,
  FormDialog,
  Notice,
  NumberField,
  PrivacyHint,
  RadioGroup,
  Select,
  TextArea,
  TextField,
  type FieldErrors,
} from "../../ui";
import {
  byPeriod,
  formatPeriod,
  formatValue,
  MISSING,
  monthsOf,
  numberOf,
  optionsOf,
  PERIOD_KINDS,
  QUALITIES,
  yearOf,
  type KpiDetail,
  type Observation,
  type PeriodKind,
} from "./words";

type Fields = components["schemas"]["KpiObservationFields"];
type Form = "number" | "range" | "ratio" | "state" | "missing";

/** Exactly one of these is recorded; which ones make sense depends on what the KPI measures. */
const FORMS: Record<Form, { label: string; hint: string }> = {
  number: { label: "数値", hint: "0 も値です。" },
  range: { label: "範囲", hint: "23～24名のように幅のある値" },
  ratio: { label: "割合（分子と分母）", hint: "集計できるように、分子と分母を記録します。" },
  state: { label: "状態・文章", hint: "例：設置済み" },
  missing: { label: "値なし（理由を記録）", hint: "未実施、期限前など" },
};
const CHOICES: Record<KpiDetail["value_type"], Form[]> = {
  number: ["number", "range", "missing"],
  ratio: ["ratio", "number", "missing"],
  state: ["state", "missing"],
  text: ["state", "missing"],
};

const QUARTERS = [
  { value: "4", label: "4月～6月" },
  { value: "7", label: "7月～9月" },
  { value: "10", label: "10月～12月" },
  { value: "1", label: "1月～3月" },
];
const MONTHS = [4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3].map((month) => ({ value: String(month), label: `${month}月` }));

interface Draft {
  kind: PeriodKind;
  year: string;
  month: string;
  quarter: string;
  from: string;
  to: string;
  form: Form;
  number: string;
  low: string;
  high: string;
  numerator: string;
  denominator: string;
  state: string;
  missing: keyof typeof MISSING;
  approximate: boolean;
  quality: keyof typeof QUALITIES;
  printed: string;
  source: string;
  note: string;
  seriesBreak: boolean;
  reason: string;
}

const formOf = (observation: Observation): Form =>
  observation.missing_reason ? "missing" : observation.state ? "state" : observation.low ? "range" : observation.numerator ? "ratio" : "number";

/** An empty sheet for the year that is looked at, or the value that is corrected. */
function draftOf(kpi: KpiDetail, year: number, corrected?: Observation): Draft {
  const kind = corrected?.period_kind ?? (kpi.frequency === "irregular" ? "day" : kpi.frequency);
  const start = corrected?.period_start;
  const month = start ? String(Number(start.slice(5, 7))) : "4";
  return {
    kind,
    year: String(start ? fiscalYear(start) : year),
    month,
    quarter: kind === "quarter" ? month : "4",
    from: start ?? "",
    to: corrected?.period_end ?? "",
    form: corrected ? formOf(corrected) : (CHOICES[kpi.value_type][0] ?? "number"),
    number: corrected?.number ?? "",
    low: corrected?.low ?? "",
    high: corrected?.high ?? "",
    numerator: corrected?.numerator ?? "",
    denominator: corrected?.denominator ?? "",
    state: corrected?.state ?? "",
    missing: corrected?.missing_reason ?? "not_yet_due",
    approximate: corrected?.approximate ?? false,
    quality: corrected?.quality ?? "final",
    printed: corrected?.printed ?? "",
    source: corrected?.source ?? "",
    note: corrected?.note ?? "",
    seriesBreak: corrected?.series_break ?? false,
    reason: "",
  };
}

function spanOf(draft: Draft): { start: string; end: string } | null {
  const year = Number(draft.year);
  switch (draft.kind) {
    case "fiscal_year":
      return yearOf(year);
    case "quarter":
      return monthsOf(year, Number(draft.quarter), 3);
    case "month":
      return monthsOf(year, Number(draft.month), 1);
    case "day": {
      const day = parseDate(draft.from, year)?.date;
      return day ? { start: day, end: day } : null;
    }
    case "range": {
      const [start, end] = [parseDate(draft.from, year)?.date, parseDate(draft.to, year)?.date];
      return start && end ? { start, end } : null;
    }
  }
}

const filled = (text: string) => text.trim() || null;

function check(draft: Draft, span: { start: string; end: string } | null, needsReason: boolean): FieldErrors {
  const errors: FieldErrors = {};
  const number = (path: string, typed: string, name: string) => {
    if (!typed.trim()) errors[path] = `${name}を入力してください。`;
    else if (parseNumber(typed) === null) errors[path] = `${name}は数で入力してください。例：1,234`;
  };
  if (!span) errors["/period_start"] = draft.kind === "day" ? "日付を入力してください。例：R6.4.1" : "期間の始まりと終わりの日付を入力してください。";
  else if (span.end < span.start) errors["/period_end"] = "期間の終わりは、始まり以後の日付にしてください。";
  if (draft.form === "number") number("/number", draft.number, "数値");
  if (draft.form === "range") {
    number("/low", draft.low, "下限");
    number("/high", draft.high, "上限");
  }
  if (draft.form === "ratio") {
    number("/numerator", draft.numerator, "分子");
    number("/denominator", draft.denominator, "分母");
    if (parseNumber(draft.denominator) === "0") errors["/denominator"] = "分母は0より大きい数にしてください。";
  }
  if (draft.form === "state" && !draft.state.trim()) errors["/state"] = "状態または文章を入力してください。";
  if (needsReason && !draft.reason.trim()) errors["/reason"] = "確定した値を訂正する理由を入力してください。";
  return errors;
}

export interface ValueFormProps {
  kpi: KpiDetail;
  seriesId: string;
  seriesName: string;
  /** All observations of the line: a period that has a value gets a correction, never a second first value. */
  observations: readonly Observation[];
  year: number;
  corrected?: Observation;
  onClose: () => void;
}

/** Records a value, or corrects one: nothing is overwritten, a correction is a new revision. */
export function ValueForm({ kpi, seriesId, seriesName, observations, year, corrected, onClose }: ValueFormProps) {
  const queries = useQueryClient();
  const [initial] = useState(() => draftOf(kpi, year, corrected));
  const [draft, setDraft] = useState(initial);
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run } = useWrite();
  const set =
    <K extends keyof Draft>(key: K) =>
    (value: Draft[K]) =>
      setDraft((now) => ({ ...now, [key]: value }));

  const span = spanOf(draft);
  const existing = span
    ? byPeriod(observations).find(
        ({ newest }) => newest.period_kind === draft.kind && newest.period_start === span.start && newest.period_end === span.end,
      )?.newest
    : undefined;
  const needsReason = existing?.quality === "final";

  const save = async () => {
    const errors = check(draft, span, needsReason);
    setGaps(errors);
    if (Object.keys(errors).length > 0 || !span) return;
    const numeric = (form: Form, typed: string) => (draft.form === form ? parseNumber(typed) : null);
    const body: Fields = {
      series_id: seriesId,
      period_kind: draft.kind,
      period_start: span.start,
      period_end: span.end,
      number: numeric("number", draft.number),
      low: numeric("range", draft.low),
      high: numeric("range", draft.high),
      numerator: numeric("ratio", draft.numerator),
      denominator: numeric("ratio", draft.denominator),
      state: draft.form === "state" ? filled(draft.state) : null,
      missing_reason: draft.form === "missing" ? draft.missing : null,
      approximate: draft.form !== "missing" && draft.approximate,
      quality: draft.quality,
      printed: filled(draft.printed),
      source: filled(draft.source),
      note: filled(draft.note),
      series_break: draft.seriesBreak,
      reason: existing ? filled(draft.reason) : null,
      supersedes_id: existing?.id ?? null,
    };
    const saved = await run(body, (header) => client.POST("/api/v1/kpi-observations", { params: { header }, body }));
    // Refused because somebody was faster: the newest values come in, and the notice above the fields names theirs.
    await queries.invalidateQueries();
    if (!saved) return;
    announce(existing ? "値を訂正しました" : "値を登録しました");
    onClose();
  };

  const errors = { ...fieldErrors(error?.problem), ...gaps };
  const field = fieldsOf("value", errors);
  const unit = kpi.unit ?? undefined;
  const fixed = corrected ? "期間を変えるときは、新しい値として登録してください。" : undefined;
  const ratio = draft.form === "ratio" ? numberOf({ number: null, numerator: parseNumber(draft.numerator), denominator: parseNumber(draft.denominator) }, kpi) : null;
  const years = Array.from({ length: 25 }, (_, index) => currentFiscalYear() + 2 - index);
  const options = [...new Set([...years, Number(draft.year)])].sort((a, b) => b - a);
  return (
    <FormDialog
      open
      wide
      form="value"
      title={corrected ? "値の訂正" : "値の入力"}
      submitLabel={existing ? "訂正として登録する" : "登録する"}
      errors={errors}
      failure={error}
      busy={busy}
      dirty={JSON.stringify(draft) !== JSON.stringify(initial)}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <p>
        <span className="font-bold">{kpi.name}</span>　{seriesName}
      </p>
      <fieldset className="grid gap-x-6 gap-y-4 md:grid-cols-3">
        <legend className="mb-2 font-bold">いつの値ですか</legend>
        <Select label="期間の種類" value={draft.kind} readOnlyReason={fixed} onChange={(value) => set("kind")(value as PeriodKind)} options={optionsOf(PERIOD_KINDS)} />
        <Select
          label="年度"
          value={draft.year}
          readOnlyReason={fixed && ""}
          onChange={set("year")}
          options={options.map((option) => ({ value: String(option), label: fiscalYearLabel(option) }))}
        />
        {draft.kind === "quarter" && <Select label="四半期" value={draft.quarter} readOnlyReason={fixed && ""} onChange={set("quarter")} options={QUARTERS} />}
        {draft.kind === "month" && <Select label="月" value={draft.month} readOnlyReason={fixed && ""} onChange={set("month")} options={MONTHS} />}
        {(draft.kind === "day" || draft.kind === "range") && (
          <DateField
            label={draft.kind === "day" ? "日付" : "始まり"}
            required
            readOnlyReason={fixed && ""}
            fiscalYear={Number(draft.year)}
            value={draft.from}
            onChange={set("from")}
            {...field("/period_start")}
          />
        )}
        {draft.kind === "range" && (
          <DateField label="終わり" required readOnlyReason={fixed && ""} fiscalYear={Number(draft.year)} value={draft.to} onChange={set("to")} {...field("/period_end")} />
        )}
      </fieldset>
      {existing && (
        <Notice tone="info" title="この期間にはすでに値があります">
          <p>
            {formatPeriod(existing)}：{formatValue(existing, kpi)}（{QUALITIES[existing.quality]}、{existing.recorded_by ?? "記録者不明"}、{formatInstant(existing.created_at)}）
          </p>
          <p>登録すると訂正（第{existing.revision + 1}版）になります。今の値も改訂の記録に残ります。</p>
        </Notice>
      )}
      <RadioGroup
        label="値の形"
        className="grid gap-x-6 md:grid-cols-3"
        value={draft.form}
        onChange={(value) => set("form")(value as Form)}
        options={CHOICES[kpi.value_type].map((form) => ({ value: form, ...FORMS[form] }))}
      />
      {draft.form === "number" && <NumberField label="数値" required suffix={unit} value={draft.number} onChange={set("number")} {...field("/number")} />}
      {draft.form === "range" && (
        <div className="grid gap-x-6 gap-y-4 md:grid-cols-2">
          <NumberField label="下限" required suffix={unit} value={draft.low} onChange={set("low")} {...field("/low")} />
          <NumberField label="上限" required suffix={unit} value={draft.high} onChange={set("high")} {...field("/high")} />
        </div>
      )}
      {draft.form === "ratio" && (
        <div className="grid items-start gap-x-6 gap-y-4 md:grid-cols-2">
          <NumberField label={`分子${kpi.numerator_label ? `（${kpi.numerator_label}）` : ""}`} required value={draft.numerator} onChange={set("numerator")} {...field("/numerator")} />
          <NumberField label={`分母${kpi.denominator_label ? `（${kpi.denominator_label}）` : ""}`} required value={draft.denominator} onChange={set("denominator")} {...field("/denominator")} />
          <p aria-live="polite">
            {ratio !== null && (
              <>
                割合は{formatDecimal(ratio)}
                {unit}になります。
              </>
            )}
          </p>
        </div>
      )}
      {draft.form === "state" && <TextArea label="状態・文章" required hint={<PrivacyHint />} rows={2} value={draft.state} onChange={set("state")} {...field("/state")} />}
      {draft.form === "missing" && <Select label="値がない理由" required value={draft.missing} onChange={(value) => set("missing")(value as Draft["missing"])} options={optionsOf(MISSING)} />}
      {draft.form !== "missing" && draft.form !== "state" && (
        <Checkbox label="およその値です（約、程度、ほど）" checked={draft.approximate} onChange={set("approximate")} />
      )}
      <div className="grid gap-x-6 gap-y-4 md:grid-cols-3">
        <Select label="確定の度合い" hint="確定した値の訂正には理由が要ります" value={draft.quality} onChange={(value) => set("quality")(value as Draft["quality"])} options={optionsOf(QUALITIES)} />
        <TextField label="出典" required={false} hint={kpi.data_source ? `定義書：${kpi.data_source}` : "値をどこから得たか"} maxLength={1000} value={draft.source} onChange={set("source")} {...field("/source")} />
        <TextField label="原文表記" required={false} hint="例：23～24名程度" maxLength={1000} value={draft.printed} onChange={set("printed")} {...field("/printed")} />
      </div>
      <Checkbox
        label="前の値と比較できません（系列の断絶）"
        hint="調査の方法や対象が変わったときに付けます。グラフの線がここで切れます。理由は備考に書いてください。"
        checked={draft.seriesBreak}
        onChange={set("seriesBreak")}
      />
      <TextArea label="備考" required={false} hint={<PrivacyHint />} rows={2} value={draft.note} onChange={set("note")} {...field("/note")} />
      {existing && (
        <TextArea
          label="訂正の理由"
          required={needsReason}
          hint={
            <>
              改訂の記録に残ります。
              <PrivacyHint />
            </>
          }
          rows={2}
          value={draft.reason}
          onChange={set("reason")}
          {...field("/reason")}
        />
      )}
    </FormDialog>
  );
}
