import { client, type components } from "../../api";
import { fiscalYearLabel, fiscalYearShort, parseFiscalYear } from "../../lib/date";
import { PrivacyHint, Select, TextArea, TextField, type FieldErrors } from "../../ui";
import { optionsOf, VISIBILITIES } from "../kpi/words";
import { MunicipalityPicker } from "./Municipalities";
import { RecordDialog, Rows } from "./RecordDialog";
import { filled, LAUNCH_STATES, PLATFORM_KINDS, type Launch, type Platform } from "./words";

type Fields = components["schemas"]["PlatformFields"];

const NAMES: Partial<Record<keyof Fields, string>> = {
  kind: "種別",
  name: "名称",
  kana: "ふりがな",
  layer: "層",
  area_name: "区域の名称",
  municipality_codes: "構成市町村",
  districts: "地区",
  launches: "立ち上げ",
  members_note: "参画メンバーについての注記",
  lead_department: "担当部局",
  summary: "概要",
  visibility: "公開範囲",
};

interface LaunchDraft {
  state: Launch["state"];
  scope: string;
  year: string;
  substitutedBy: string;
  printed: string;
}

interface Draft {
  kind: Fields["kind"];
  name: string;
  kana: string;
  layer: string;
  areaName: string;
  codes: string[];
  districts: string;
  launches: LaunchDraft[];
  membersNote: string;
  department: string;
  summary: string;
  visibility: NonNullable<Fields["visibility"]>;
}

const toDraft = (platform: Platform | undefined): Draft => ({
  kind: platform?.kind ?? "partnership_platform",
  name: platform?.name ?? "",
  kana: platform?.kana ?? "",
  layer: platform?.layer ? String(platform.layer) : "",
  areaName: platform?.area_name ?? "",
  codes: platform?.municipality_codes ?? [],
  districts: platform?.districts.join("、") ?? "",
  launches:
    platform?.launches.map(({ state, scope, fiscal_year: year, substituted_by: by, printed }) => ({
      state,
      scope: scope ?? "",
      year: year ? fiscalYearShort(year) : "",
      substitutedBy: by ?? "",
      printed: printed ?? "",
    })) ?? [],
  membersNote: platform?.members_note ?? "",
  department: platform?.lead_department ?? "",
  summary: platform?.summary ?? "",
  visibility: platform?.visibility ?? "organization",
});

function toFields(draft: Draft): { fields: Fields; errors: FieldErrors } {
  const errors: FieldErrors = {};
  if (!draft.name.trim()) errors["/name"] = "名称を入力してください。";
  draft.launches.forEach(({ state, year, substitutedBy }, index) => {
    if (year.trim() && parseFiscalYear(year) === null) errors[`/launches/${index}/fiscal_year`] = "立ち上げ年度を R6 または 令和6年度 のように入力してください。";
    if (state === "substituted" && !substitutedBy.trim()) errors[`/launches/${index}/substituted_by`] = "代わりとなる会議体の名称を入力してください。";
  });
  return {
    errors,
    fields: {
      kind: draft.kind,
      name: draft.name.trim(),
      kana: filled(draft.kana),
      layer: draft.kind === "consultative_council" && draft.layer ? Number(draft.layer) : null,
      area_name: filled(draft.areaName),
      municipality_codes: draft.codes,
      districts: draft.districts.split(/[、,\n]/).flatMap((district) => filled(district) ?? []),
      // An absent part is left out, as the API itself writes it: only then is an untouched row the same row.
      launches: draft.launches.map(({ state, scope, year, substitutedBy, printed }) => ({
        state,
        ...(filled(scope) && { scope: filled(scope) }),
        ...(parseFiscalYear(year) !== null && { fiscal_year: parseFiscalYear(year) }),
        ...(state === "substituted" && { substituted_by: filled(substitutedBy) }),
        ...(filled(printed) && { printed: filled(printed) }),
      })),
      members_note: filled(draft.membersNote),
      lead_department: filled(draft.department),
      summary: filled(draft.summary),
      visibility: draft.visibility,
    },
  };
}

const LAYERS = [{ value: "", label: "定めない" }, ...[1, 2, 3].map((layer) => ({ value: String(layer), label: `第${layer}層` }))];

/** A new platform, or what stands in the head of one. */
export function PlatformForm({ platform, onClose, onCreated }: { platform?: Platform; onClose: () => void; onCreated?: (id: string) => void }) {
  return (
    <RecordDialog<Platform, Draft, Fields>
      wide
      title={platform ? "プラットフォームの基本情報を編集" : "プラットフォームを作成"}
      submitLabel={platform ? "変更する" : "作成する"}
      record={platform}
      toDraft={toDraft}
      toFields={toFields}
      names={NAMES}
      create={(body, header) => client.POST("/api/v1/platforms", { params: { header }, body }).then(({ data }) => data?.id)}
      update={(body, header) => client.PATCH("/api/v1/platforms/{platform_id}", { params: { path: { platform_id: platform?.id ?? "" }, header }, body })}
      onClose={onClose}
      onSaved={(id) => typeof id === "string" && onCreated?.(id)}
    >
      {({ draft, set, field }) => (
        <>
          <div className="grid gap-5 md:grid-cols-2">
            <TextField {...field("/name")} label="名称" required hint="正式な名称を略さずに入力してください。" value={draft.name} onChange={(name) => set({ name })} className="md:col-span-2" />
            <TextField {...field("/kana")} label="ふりがな" required={false} value={draft.kana} onChange={(kana) => set({ kana })} />
            <Select {...field("/kind")} label="種別" required value={draft.kind} onChange={(kind) => set({ kind: kind as Draft["kind"] })} options={optionsOf(PLATFORM_KINDS)} />
            {draft.kind === "consultative_council" && (
              <Select {...field("/layer")} label="層" required={false} value={draft.layer} onChange={(layer) => set({ layer })} options={LAYERS} />
            )}
            <TextField {...field("/lead_department")} label="担当部局" required={false} value={draft.department} onChange={(department) => set({ department })} />
            <TextField {...field("/area_name")} label="区域の名称" required={false} hint="例：麒麟のまち圏域" value={draft.areaName} onChange={(areaName) => set({ areaName })} />
            <TextField {...field("/districts")} label="地区" required={false} hint="「、」で区切ります。" value={draft.districts} onChange={(districts) => set({ districts })} />
          </div>
          <MunicipalityPicker codes={draft.codes} onChange={(codes) => set({ codes })} />
          <Rows
            label="立ち上げ"
            rows={draft.launches}
            onChange={(launches) => set({ launches })}
            blank={{ state: "established", scope: "", year: "", substitutedBy: "", printed: "" }}
          >
            {(launch, change, index) => (
              <div className="grid gap-3 md:grid-cols-2">
                <Select label="設置の状態" size="sm" value={launch.state} onChange={(state) => change({ state: state as Launch["state"] })} options={optionsOf(LAUNCH_STATES)} />
                <TextField
                  {...field(`/launches/${index}/fiscal_year`)}
                  label="立ち上げ年度"
                  size="sm"
                  hint={yearHint(launch.year)}
                  value={launch.year}
                  onChange={(year) => change({ year })}
                />
                <TextField label="範囲" size="sm" hint="例：広域。全体のときは空欄" value={launch.scope} onChange={(scope) => change({ scope })} />
                {launch.state === "substituted" && (
                  <TextField
                    {...field(`/launches/${index}/substituted_by`)}
                    label="代わりとなる会議体"
                    size="sm"
                    required
                    value={launch.substitutedBy}
                    onChange={(substitutedBy) => change({ substitutedBy })}
                  />
                )}
                <TextField label="原文表記" size="sm" value={launch.printed} onChange={(printed) => change({ printed })} />
              </div>
            )}
          </Rows>
          <TextArea {...field("/summary")} label="概要" required={false} hint={<PrivacyHint />} value={draft.summary} onChange={(summary) => set({ summary })} />
          <TextArea
            {...field("/members_note")}
            label="参画メンバーについての注記"
            required={false}
            hint="メンバーの一覧に添える説明です。"
            rows={2}
            value={draft.membersNote}
            onChange={(membersNote) => set({ membersNote })}
          />
          <Select {...field("/visibility")} label="公開範囲" required value={draft.visibility} onChange={(visibility) => set({ visibility: visibility as Draft["visibility"] })} options={optionsOf(VISIBILITIES)} />
        </>
      )}
    </RecordDialog>
  );
}

function yearHint(typed: string) {
  const year = parseFiscalYear(typed);
  return year === null ? "例：R6、令和6年度" : fiscalYearLabel(year);
}
