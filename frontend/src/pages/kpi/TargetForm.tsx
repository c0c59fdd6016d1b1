import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, fieldErrors, useWrite, type components } from "../../api";
import { currentFiscalYear, fiscalYearLabel } from "../../lib/date";
import { parseNumber } from "../../lib/decimal";
import { announce, fieldsOf, FormDialog, Notice, NumberField, PrivacyHint, RadioGroup, Select, TextArea, TextField, type FieldErrors } from "../../ui";
import { COMPARATORS, formatTarget, optionsOf, TARGET_KINDS, targetInForce, type KpiDetail, type Target } from "./words";

type Fields = components["schemas"]["KpiTargetFields"];

interface Draft {
  year: string;
  kind: keyof typeof TARGET_KINDS;
  comparator: keyof typeof COMPARATORS;
  value: string;
  high: string;
  text: string;
  rationale: string;
  scope: string;
  printed: string;
  reason: string;
}

const filled = (text: string) => text.trim() || null;

export interface TargetFormProps {
  kpi: KpiDetail;
  targets: readonly Target[];
  year: number;
  /** The target in force that is changed. */
  replaced?: Target;
  onClose: () => void;
}

/** Sets the target of a year; one that exists is replaced with a reason and stays visible. */
export function TargetForm({ kpi, targets, year, replaced, onClose }: TargetFormProps) {
  const queries = useQueryClient();
  const [initial] = useState<Draft>(() => ({
    year: String(replaced?.fiscal_year ?? year),
    kind: replaced?.kind ?? (kpi.value_type === "number" || kpi.value_type === "ratio" ? "numeric" : "qualitative"),
    comparator: replaced?.comparator ?? (kpi.direction === "decrease" ? "at_most" : "at_least"),
    value: replaced?.value ?? "",
    high: replaced?.high ?? "",
    text: replaced?.text ?? "",
    rationale: replaced?.rationale ?? "",
    scope: replaced?.scope ?? "",
    printed: replaced?.printed ?? "",
    reason: "",
  }));
  const [draft, setDraft] = useState(initial);
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run } = useWrite();
  const set =
    <K extends keyof Draft>(key: K) =>
    (value: Draft[K]) =>
      setDraft((now) => ({ ...now, [key]: value }));
  const existing = targetInForce(targets, Number(draft.year));
  const between = draft.comparator === "between";

  const save = async () => {
    const errors: FieldErrors = {};
    if (draft.kind === "numeric" && parseNumber(draft.value) === null) errors["/value"] = "目標値を数で入力してください。例：40";
    if (draft.kind === "numeric" && between && parseNumber(draft.high) === null) errors["/high"] = "上限を数で入力してください。";
    if (draft.kind === "qualitative" && !draft.text.trim()) errors["/text"] = "目標の文章を入力してください。";
    if (draft.kind === "not_set" && !draft.rationale.trim()) errors["/rationale"] = "数値目標を設定しない理由を入力してください。";
    if (existing && !draft.reason.trim()) errors["/reason"] = "目標を変更する理由を入力してください。";
    setGaps(errors);
    if (Object.keys(errors).length > 0) return;
    const numeric = draft.kind === "numeric";
    const body: Fields = {
      kpi_id: kpi.id,
      fiscal_year: Number(draft.year),
      kind: draft.kind,
      comparator: draft.comparator,
      value: numeric ? parseNumber(draft.value) : null,
      high: numeric && between ? parseNumber(draft.high) : null,
      text: draft.kind === "qualitative" ? filled(draft.text) : null,
      rationale: filled(draft.rationale),
      scope: filled(draft.scope),
      printed: filled(draft.printed),
      reason: existing ? filled(draft.reason) : null,
      supersedes_id: existing?.id ?? null,
    };
    const saved = await run(body, (header) => client.POST("/api/v1/kpi-targets", { params: { header }, body }));
    await queries.invalidateQueries();
    if (!saved) return;
    announce(existing ? "目標を変更しました" : "目標を設定しました");
    onClose();
  };

  const errors = { ...fieldErrors(error?.problem), ...gaps };
  const field = fieldsOf("target", errors);
  const years = [...new Set([...Array.from({ length: 16 }, (_, index) => currentFiscalYear() + 10 - index), Number(draft.year)])].sort((a, b) => b - a);
  return (
    <FormDialog
      open
      wide
      form="target"
      title={replaced ? "目標の変更" : "目標の設定"}
      submitLabel={existing ? "変更する" : "設定する"}
      errors={errors}
      failure={error}
      busy={busy}
      dirty={JSON.stringify(draft) !== JSON.stringify(initial)}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <Select
        label="年度"
        value={draft.year}
        readOnlyReason={replaced ? "別の年度の目標は、新しく設定してください。" : undefined}
        onChange={set("year")}
        options={years.map((option) => ({ value: String(option), label: fiscalYearLabel(option) }))}
      />
      {existing && (
        <Notice tone="info" title="この年度にはすでに目標があります">
          <p>
            今の目標：{formatTarget(existing, kpi)}（第{existing.revision}版）
          </p>
          <p>変更すると新しい版になります。今の目標も、変更の理由とともに残ります。</p>
        </Notice>
      )}
      <RadioGroup
        label="目標の種類"
        className="grid gap-x-6 md:grid-cols-3"
        value={draft.kind}
        onChange={(value) => set("kind")(value as Draft["kind"])}
        options={Object.entries(TARGET_KINDS).map(([value, words]) => ({ value, ...words }))}
      />
      {draft.kind === "numeric" && (
        <div className="grid items-start gap-x-6 gap-y-4 md:grid-cols-3">
          <NumberField label={between ? "下限" : "目標値"} required suffix={kpi.unit ?? undefined} value={draft.value} onChange={set("value")} {...field("/value")} />
          <Select label="達成の条件" value={draft.comparator} onChange={(value) => set("comparator")(value as Draft["comparator"])} options={optionsOf(COMPARATORS)} />
          {between && <NumberField label="上限" required suffix={kpi.unit ?? undefined} value={draft.high} onChange={set("high")} {...field("/high")} />}
        </div>
      )}
      {draft.kind === "qualitative" && <TextArea label="目標の文章" required hint={<PrivacyHint />} rows={2} value={draft.text} onChange={set("text")} {...field("/text")} />}
      <TextArea
        label="考え方"
        required={draft.kind === "not_set"}
        hint={
          <>
            なぜこの目標にしたか。例：基準値の6%増
            <PrivacyHint />
          </>
        }
        rows={2}
        value={draft.rationale}
        onChange={set("rationale")}
        {...field("/rationale")}
      />
      <div className="grid gap-x-6 gap-y-4 md:grid-cols-2">
        <TextField label="対象の範囲" required={false} hint="例：令和3年度以降の集落" maxLength={1000} value={draft.scope} onChange={set("scope")} {...field("/scope")} />
        <TextField label="原文表記" required={false} hint="資料に書かれているとおり" maxLength={1000} value={draft.printed} onChange={set("printed")} {...field("/printed")} />
      </div>
      {existing && (
        <TextArea
          label="変更の理由"
          required
          hint={
            <>
              変更の記録に残ります。
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
