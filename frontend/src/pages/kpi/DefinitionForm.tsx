import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { $api, client, fieldErrors, newerRecord, patchRecord, useIdentity, useWrite, type components } from "../../api";
import { currentFiscalYear, fiscalYearShort } from "../../lib/date";
import { parseNumber } from "../../lib/decimal";
import { formatPeriod, understandPeriod } from "../../lib/period";
import { clashes, mergePatch, sameValue } from "../../lib/patch";
import { announce, Checkbox, fieldsOf, FormDialog, NumberField, PrivacyHint, RadioGroup, RecordConflict, Select, TextArea, TextField, type FieldErrors, type Option } from "../../ui";
import { AREA_RULES, DIRECTIONS, FREQUENCIES, optionsOf, TIME_RULES, VALUE_TYPES, VISIBILITIES, type Kpi } from "./words";

type Fields = components["schemas"]["KpiFields"];

/** Names of the fields, also where two people changed the same one. */
export const FIELD_NAMES: Record<keyof Fields, string> = {
  platform_id: "プラットフォーム",
  plan_id: "計画",
  code: "番号",
  name: "指標名",
  definition: "定義",
  value_type: "値の種類",
  unit: "単位",
  decimals: "小数点以下の桁数",
  direction: "望ましい方向",
  numerator_label: "分子",
  denominator_label: "分母",
  baseline: "基準値",
  time_rule: "時間の合算",
  area_rule: "地域の合算",
  frequency: "記録の頻度",
  responsible: "担当",
  data_source: "値の出典",
  counts_people: "人数の指標",
  printed: "原文表記",
  visibility: "公開範囲",
  position: "表示順",
};

/** What the form holds: texts as typed. */
interface Draft {
  fields: Fields;
  position: string;
  baselineValue: string;
  baselinePeriod: string;
  baselineSource: string;
  baselinePrinted: string;
}

const EMPTY: Fields = {
  name: "",
  value_type: "number",
  direction: "increase",
  time_rule: "last",
  area_rule: "none",
  frequency: "fiscal_year",
  visibility: "organization",
  counts_people: false,
  position: 0,
};

function draftOf(kpi: Kpi | undefined): Draft {
  const fields = kpi
    ? (Object.fromEntries(Object.keys(FIELD_NAMES).map((key) => [key, kpi[key as keyof Fields]])) as unknown as Fields)
    : EMPTY;
  const baseline = kpi?.baseline;
  return {
    fields,
    position: String(fields.position ?? 0),
    baselineValue: baseline?.value ?? baseline?.text ?? "",
    baselinePeriod: baseline?.period ? formatPeriod(baseline.period) : "",
    baselineSource: baseline?.source ?? "",
    baselinePrinted: baseline?.printed ?? "",
  };
}

/** 令和5年度, 令和6年8月, R6.8.1 … as exact as it says. */
const periodOf = (typed: string) => (typed.trim() ? understandPeriod(typed.trim(), currentFiscalYear()).when : null);

const filled = (text: string | null | undefined) => text?.trim() || null;

function fieldsOfDraft(draft: Draft, before: Draft): { fields: Fields; errors: FieldErrors } {
  const { fields } = draft;
  const numeric = fields.value_type === "number" || fields.value_type === "ratio";
  const number = parseNumber(draft.baselineValue);
  const position = parseNumber(draft.position);
  const errors: FieldErrors = {};
  if (!fields.name.trim()) errors["/name"] = "指標名を入力してください。";
  if (numeric && draft.baselineValue.trim() && number === null) errors["/baseline/value"] = "基準値は数で入力してください。例：23.3";
  if (position === null || !/^-?\d+$/.test(position)) errors["/position"] = "表示順は整数で入力してください。";
  const period = draft.baselinePeriod === before.baselinePeriod ? (before.fields.baseline?.period ?? null) : periodOf(draft.baselinePeriod);
  const baseline = {
    value: numeric ? number : null,
    text: numeric ? null : filled(draft.baselineValue),
    period,
    source: filled(draft.baselineSource),
    printed: filled(draft.baselinePrinted),
  };
  const ratio = fields.value_type === "ratio";
  return {
    errors,
    fields: {
      ...fields,
      name: fields.name.trim(),
      code: filled(fields.code),
      definition: filled(fields.definition),
      unit: filled(fields.unit),
      numerator_label: ratio ? filled(fields.numerator_label) : null,
      denominator_label: ratio ? filled(fields.denominator_label) : null,
      responsible: filled(fields.responsible),
      data_source: filled(fields.data_source),
      printed: filled(fields.printed),
      position: Number(position ?? 0),
      baseline: Object.values(baseline).some((part) => part !== null) ? baseline : null,
    },
  };
}

/** The definition sheet (指標定義書): of a new KPI, or of the given one. */
export function DefinitionForm({ kpi, onClose, onSaved }: { kpi?: Kpi; onClose: () => void; onSaved: (id: string) => void }) {
  const identity = useIdentity();
  const queries = useQueryClient();
  const [base, setBase] = useState(kpi);
  const [draft, setDraft] = useState(() => draftOf(kpi));
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run, clear } = useWrite();
  const platforms = $api.useQuery("get", "/api/v1/platforms", { params: { query: { owner_org_id: identity?.organization_id ?? undefined, limit: 200 } } });

  const plans = $api.useQuery("get", "/api/v1/plans", { params: { query: { owner_org_id: identity?.organization_id ?? undefined, limit: 200 } } });
  // A platform or plan of another organisation stays chosen, though the list has only the own ones.
  const platformChoices = choices(platforms.data?.items.map(({ id, name }) => ({ value: id, label: name })), kpi?.platform_id, "ほかの団体のプラットフォーム");
  const planChoices = choices(plans.data?.items.map(({ id, title, first_fiscal_year: from, last_fiscal_year: to }) => ({ value: id, label: `${title}（${fiscalYearShort(from)}～${fiscalYearShort(to)}）` })), kpi?.plan_id, "ほかの団体の計画");

  const before = draftOf(base);
  const { fields } = draft;
  const set = <K extends keyof Fields>(key: K) => (value: Fields[K]) => setDraft((now) => ({ ...now, fields: { ...now.fields, [key]: value } }));
  const text = (key: Exclude<keyof Draft, "fields">) => (value: string) => setDraft((now) => ({ ...now, [key]: value }));

  const save = async (on: Kpi | undefined) => {
    const { fields: body, errors } = fieldsOfDraft(draft, before);
    setGaps(errors);
    if (Object.keys(errors).length > 0) return;
    const id = await run(body, async (headers) => {
      if (!on) return (await client.POST("/api/v1/kpis", { params: { header: headers }, body })).data?.id;
      await patchRecord(on, body, (patch, header) => client.PATCH("/api/v1/kpis/{kpi_id}", { params: { path: { kpi_id: on.id }, header }, body: patch }));
      return on.id;
    });
    if (!id) return;
    await queries.invalidateQueries();
    announce(kpi ? "定義書を変更しました" : "KPIを作成しました");
    onClose();
    onSaved(id);
  };

  const field = fieldsOf("kpi", { ...fieldErrors(error?.problem), ...gaps });
  const newer = newerRecord<Kpi>(error);
  const mine = fieldsOfDraft(draft, before).fields;
  const numeric = fields.value_type === "number" || fields.value_type === "ratio";
  const understood = periodOf(draft.baselinePeriod);
  return (
    <FormDialog
      open
      wide
      form="kpi"
      title={kpi ? "定義書の変更" : "KPIの作成"}
      submitLabel={kpi ? "変更する" : "作成する"}
      errors={{ ...fieldErrors(error?.problem), ...gaps }}
      failure={newer ? undefined : error}
      busy={busy}
      dirty={!sameValue(draft, before)}
      onSubmit={() => void save(base)}
      onClose={onClose}
    >
      {newer && base && (
        <RecordConflict
          by={newer.by}
          at={newer.at}
          rows={clashes(base, mergePatch(base, mine), newer.record, mine).map((key) => ({
            label: FIELD_NAMES[key as keyof Fields],
            mine: words(key as keyof Fields, mine),
            theirs: words(key as keyof Fields, newer.record),
          }))}
          // My changes go on top of the newer version; what the other changed elsewhere stays.
          onMine={() => void save({ ...base, version: newer.record.version })}
          onTheirs={() => {
            setBase(newer.record);
            setDraft(draftOf(newer.record));
            clear();
          }}
        />
      )}
      <div className="grid gap-x-6 gap-y-5 md:grid-cols-[1fr_3fr]">
        <TextField label="番号" required={false} hint="計画書などでの番号" maxLength={300} value={fields.code ?? ""} onChange={set("code")} {...field("/code")} />
        <TextField label="指標名" required maxLength={300} value={fields.name} onChange={set("name")} {...field("/name")} />
      </div>
      <TextArea
        label="定義"
        required={false}
        hint={
          <>
            何を、どの範囲で、いつ数えるか。
            <PrivacyHint />
          </>
        }
        rows={2}
        value={fields.definition ?? ""}
        onChange={set("definition")}
        {...field("/definition")}
      />
      <RadioGroup
        label="値の種類"
        required
        className="grid gap-x-6 md:grid-cols-2"
        value={fields.value_type}
        onChange={(value) => set("value_type")(value as Fields["value_type"])}
        options={Object.entries(VALUE_TYPES).map(([value, { label, hint }]) => ({ value, label, hint }))}
      />
      {fields.value_type === "ratio" && (
        <div className="grid gap-x-6 gap-y-5 md:grid-cols-2">
          <TextField label="分子" required={false} hint="例：「知っている」と答えた人数" value={fields.numerator_label ?? ""} onChange={set("numerator_label")} {...field("/numerator_label")} />
          <TextField label="分母" required={false} hint="例：回答者数" value={fields.denominator_label ?? ""} onChange={set("denominator_label")} {...field("/denominator_label")} />
        </div>
      )}
      <div className="grid gap-x-6 gap-y-5 md:grid-cols-3">
        {numeric && <TextField label="単位" required={false} hint="例：人、回、%" value={fields.unit ?? ""} onChange={set("unit")} {...field("/unit")} />}
        {numeric && (
          <Select
            label="小数点以下の桁数"
            hint="計算で求める割合の表示"
            value={String(fields.decimals ?? "")}
            onChange={(value) => set("decimals")(value === "" ? null : Number(value))}
            options={[{ value: "", label: "指定しない" }, ...[0, 1, 2, 3, 4, 5, 6].map((digits) => ({ value: String(digits), label: `${digits}桁` }))]}
          />
        )}
        <Select label="望ましい方向" hint="値がどうなるとよいか" value={fields.direction ?? "none"} onChange={(value) => set("direction")(value as Fields["direction"])} options={optionsOf(DIRECTIONS)} />
      </div>
      <fieldset className="rounded-8 border border-solid-gray-420 p-4">
        <legend className="px-2 font-bold">基準値</legend>
        <p className="mb-3 text-solid-gray-700">はじまりの値です。実績値と別の調査の値であれば、その出典を書いてください。</p>
        <div className="grid gap-x-6 gap-y-5 md:grid-cols-2">
          {numeric ? (
            <NumberField label="基準値" required={false} suffix={fields.unit ?? undefined} value={draft.baselineValue} onChange={text("baselineValue")} {...field("/baseline/value")} />
          ) : (
            <TextField label="基準値" required={false} hint="はじまりの状態" value={draft.baselineValue} onChange={text("baselineValue")} {...field("/baseline/text")} />
          )}
          <TextField
            label="基準値の時期"
            required={false}
            hint={
              <>
                例：令和5年度、令和6年8月、R6.8.1
                {understood?.precision === "undecided" && <span className="block">書いたままの文字で記録します。</span>}
              </>
            }
            value={draft.baselinePeriod}
            onChange={text("baselinePeriod")}
            {...field("/baseline/period")}
          />
          <TextField label="基準値の出典" required={false} hint="例：令和5年度市民意識調査" value={draft.baselineSource} onChange={text("baselineSource")} {...field("/baseline/source")} />
          <TextField label="基準値の原文表記" required={false} hint="資料に書かれているとおり" value={draft.baselinePrinted} onChange={text("baselinePrinted")} {...field("/baseline/printed")} />
        </div>
      </fieldset>
      <div className="grid gap-x-6 gap-y-5 md:grid-cols-2">
        <Select
          label="時間の合算"
          hint={TIME_RULES[fields.time_rule ?? "last"].words}
          value={fields.time_rule ?? "last"}
          onChange={(value) => set("time_rule")(value as Fields["time_rule"])}
          options={optionsOf(TIME_RULES)}
        />
        <Select
          label="地域の合算"
          hint={AREA_RULES[fields.area_rule ?? "none"].words}
          value={fields.area_rule ?? "none"}
          onChange={(value) => set("area_rule")(value as Fields["area_rule"])}
          options={optionsOf(AREA_RULES)}
        />
        <Select label="記録の頻度" value={fields.frequency ?? "fiscal_year"} onChange={(value) => set("frequency")(value as Fields["frequency"])} options={optionsOf(FREQUENCIES)} />
        <TextField label="担当" required={false} value={fields.responsible ?? ""} onChange={set("responsible")} {...field("/responsible")} />
        <TextField label="値の出典" required={false} hint="値をどこから得るか" value={fields.data_source ?? ""} onChange={set("data_source")} {...field("/data_source")} />
        <Select
          label="プラットフォーム"
          value={fields.platform_id ?? ""}
          onChange={(value) => set("platform_id")(value || null)}
          options={platformChoices}
        />
        <Select label="計画" value={fields.plan_id ?? ""} onChange={(value) => set("plan_id")(value || null)} options={planChoices} />
        <Select label="公開範囲" value={fields.visibility ?? "organization"} onChange={(value) => set("visibility")(value as Fields["visibility"])} options={optionsOf(VISIBILITIES)} />
        <TextField label="表示順" hint="小さい数から順に並びます" inputMode="numeric" value={draft.position} onChange={text("position")} {...field("/position")} />
      </div>
      <Checkbox
        label="人数を数える指標です"
        hint="外部の閲覧者には、少ない人数を秘匿して表示します。"
        checked={fields.counts_people ?? false}
        onChange={set("counts_people")}
      />
      <TextArea label="原文表記" required={false} hint="資料に書かれているとおり" rows={2} value={fields.printed ?? ""} onChange={set("printed")} {...field("/printed")} />
    </FormDialog>
  );
}

const choices = (own: Option[] | undefined, stored: string | null | undefined, foreign: string) => [
  { value: "", label: "なし" },
  ...(own ?? []),
  ...(stored && !own?.some(({ value }) => value === stored) ? [{ value: stored, label: foreign }] : []),
];

/** A field's content for somebody who compares two of them. */
function words(key: keyof Fields, fields: Fields): string {
  const value = fields[key];
  switch (key) {
    case "value_type":
      return VALUE_TYPES[fields.value_type].label;
    case "direction":
      return DIRECTIONS[fields.direction ?? "none"];
    case "time_rule":
      return TIME_RULES[fields.time_rule ?? "last"].label;
    case "area_rule":
      return AREA_RULES[fields.area_rule ?? "none"].label;
    case "frequency":
      return FREQUENCIES[fields.frequency ?? "fiscal_year"];
    case "visibility":
      return VISIBILITIES[fields.visibility ?? "organization"];
    case "counts_people":
      return fields.counts_people ? "はい" : "いいえ";
    case "baseline": {
      const { value: number, text, period, source, printed } = fields.baseline ?? {};
      return [number ?? text, period && formatPeriod(period), source, printed].filter(Boolean).join("、");
    }
    default:
      return value === null || value === undefined ? "" : String(value);
  }
}
