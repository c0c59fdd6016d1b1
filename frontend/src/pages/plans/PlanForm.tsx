import { $api, client, findMunicipalities, type components } from "../../api";
import { fiscalYearLabel, fiscalYearShort, parseFiscalYear } from "../../lib/date";
import { Combobox, Select, TextField, type FieldErrors, type Option } from "../../ui";
import { optionsOf, VISIBILITIES } from "../kpi/words";
import { PLAN_KINDS, type Plan } from "../plan/sheet";
import { useMunicipalities } from "../platform/Municipalities";
import { RecordDialog } from "../platform/RecordDialog";
import { filled } from "../platform/words";

type Fields = components["schemas"]["PlanFields"];

const NAMES: Partial<Record<keyof Fields, string>> = {
  kind: "種別",
  title: "計画の名称",
  subtitle: "副題",
  municipality_code: "市区町村",
  first_fiscal_year: "計画期間の初年度",
  last_fiscal_year: "計画期間の最終年度",
  edition: "版",
  platform_id: "プラットフォーム",
  visibility: "公開範囲",
};

interface Draft {
  kind: Fields["kind"];
  title: string;
  subtitle: string;
  first: string;
  last: string;
  edition: string;
  municipality: string | null;
  platform: string | null;
  visibility: NonNullable<Fields["visibility"]>;
}

const toDraft = (plan: Plan | undefined): Draft => ({
  kind: plan?.kind ?? "community_welfare_plan",
  title: plan?.title ?? "",
  subtitle: plan?.subtitle ?? (plan ? "" : "実施計画ロードマップ"),
  first: plan ? fiscalYearShort(plan.first_fiscal_year) : "",
  last: plan ? fiscalYearShort(plan.last_fiscal_year) : "",
  edition: plan?.edition ?? "",
  municipality: plan?.municipality_code ?? null,
  platform: plan?.platform_id ?? null,
  visibility: plan?.visibility ?? "organization",
});

function toFields(draft: Draft): { fields: Fields; errors: FieldErrors } {
  const [first, last] = [parseFiscalYear(draft.first), parseFiscalYear(draft.last)];
  const errors: FieldErrors = {};
  if (!draft.title.trim()) errors["/title"] = "計画の名称を入力してください。";
  if (first === null) errors["/first_fiscal_year"] = "計画期間の初年度を R6 または 令和6年度 のように入力してください。";
  if (last === null) errors["/last_fiscal_year"] = "計画期間の最終年度を R10 または 令和10年度 のように入力してください。";
  else if (first !== null && (last < first || last > first + 30)) errors["/last_fiscal_year"] = "最終年度は、初年度から30年後までの年度にしてください。";
  return {
    errors,
    fields: {
      kind: draft.kind,
      title: draft.title.trim(),
      subtitle: filled(draft.subtitle),
      first_fiscal_year: first ?? 0,
      last_fiscal_year: last ?? 0,
      edition: filled(draft.edition),
      municipality_code: draft.municipality,
      platform_id: draft.platform,
      visibility: draft.visibility,
    },
  };
}

const yearHint = (typed: string) => {
  const year = parseFiscalYear(typed);
  return year === null ? "例：R6、令和6年度" : fiscalYearLabel(year);
};

const findPlatforms = async (search: string): Promise<Option[]> => {
  const { data } = await client.GET("/api/v1/platforms", { params: { query: { search: search || undefined, limit: 20 } } });
  return (data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }));
};

/** A new plan, or what stands in the head of one. */
export function PlanForm({ plan, onClose, onCreated }: { plan?: Plan; onClose: () => void; onCreated?: (id: string) => void }) {
  return (
    <RecordDialog<Plan, Draft, Fields>
      wide
      title={plan ? "計画の基本情報を編集" : "計画を作成"}
      submitLabel={plan ? "変更する" : "作成する"}
      record={plan}
      toDraft={toDraft}
      toFields={toFields}
      names={NAMES}
      create={(body, header) => client.POST("/api/v1/plans", { params: { header }, body }).then(({ data }) => data?.id)}
      update={(body, header) => client.PATCH("/api/v1/plans/{plan_id}", { params: { path: { plan_id: plan?.id ?? "" }, header }, body })}
      onClose={onClose}
      onSaved={(id) => typeof id === "string" && onCreated?.(id)}
    >
      {({ draft, set, field }) => (
        <div className="grid gap-5 md:grid-cols-2">
          <TextField {...field("/title")} label="計画の名称" required className="md:col-span-2" value={draft.title} onChange={(title) => set({ title })} />
          <TextField {...field("/subtitle")} label="副題" required={false} value={draft.subtitle} onChange={(subtitle) => set({ subtitle })} />
          <Select {...field("/kind")} label="種別" required value={draft.kind} onChange={(kind) => set({ kind: kind as Draft["kind"] })} options={optionsOf(PLAN_KINDS)} />
          <TextField {...field("/first_fiscal_year")} label="計画期間の初年度" required hint={yearHint(draft.first)} value={draft.first} onChange={(first) => set({ first })} />
          <TextField {...field("/last_fiscal_year")} label="計画期間の最終年度" required hint={yearHint(draft.last)} value={draft.last} onChange={(last) => set({ last })} />
          <TextField {...field("/edition")} label="版" required={false} hint="例：第3期、令和5年度改訂" value={draft.edition} onChange={(edition) => set({ edition })} />
          <Select {...field("/visibility")} label="公開範囲" required value={draft.visibility} onChange={(visibility) => set({ visibility: visibility as Draft["visibility"] })} options={optionsOf(VISIBILITIES)} />
          <MunicipalityField field={field("/municipality_code")} code={draft.municipality} onChange={(municipality) => set({ municipality })} />
          <PlatformField field={field("/platform_id")} id={draft.platform} onChange={(platform) => set({ platform })} />
        </div>
      )}
    </RecordDialog>
  );
}

function MunicipalityField({ field, code, onChange }: { field: { id: string; error?: string }; code: string | null; onChange: (code: string | null) => void }) {
  const known = useMunicipalities(code ? [code] : []);
  return (
    <Combobox
      {...field}
      label="市区町村"
      required={false}
      hint="名前の一部を入力して選びます。"
      value={code ? { value: code, label: known.get(code)?.name ?? code } : null}
      onChange={(chosen) => onChange(chosen?.value ?? null)}
      search={findMunicipalities}
    />
  );
}

function PlatformField({ field, id, onChange }: { field: { id: string; error?: string }; id: string | null; onChange: (id: string | null) => void }) {
  const { data } = $api.useQuery("get", "/api/v1/platforms/{platform_id}", { params: { path: { platform_id: id ?? "" } } }, { enabled: id !== null });
  return (
    <Combobox
      {...field}
      label="プラットフォーム"
      required={false}
      hint="計画を進める会議体。名前の一部を入力して選びます。"
      value={id ? { value: id, label: data?.name ?? "…" } : null}
      onChange={(chosen) => onChange(chosen?.value ?? null)}
      search={findPlatforms}
    />
  );
}
