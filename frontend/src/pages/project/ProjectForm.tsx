import { useState } from "react";
import { client, useEveryPage } from "../../api";
import { fiscalYearLabel, parseFiscalYear, wafuFiscalYear } from "../../lib/date";
import { Checkbox, Select, TextField, type FieldErrors } from "../../ui";
import { optionsOf, VISIBILITIES } from "../kpi/words";
import { RecordDialog } from "../platform/RecordDialog";
import { filled } from "../platform/words";
import { PROGRESS, type Project, type ProjectFields } from "./words";

const NAMES: Partial<Record<keyof ProjectFields, string>> = {
  fiscal_year: "年度",
  number: "番号",
  name: "事業名称",
  title: "個票の見出し",
  is_reference: "※参考",
  progress: "進み具合",
  lead_department: "担当部局",
  predecessor_id: "前年度の事業",
  visibility: "公開範囲",
  position: "表示順",
};

interface Draft {
  year: string;
  number: string;
  name: string;
  title: string;
  isReference: boolean;
  progress: NonNullable<ProjectFields["progress"]>;
  department: string;
  predecessorId: string;
  visibility: NonNullable<ProjectFields["visibility"]>;
  position: string;
}

/** Projects of one year of the platform, for the choice of the predecessor and the place of a new one. */
export function useProjects(platformId: string | null, year: number) {
  return useEveryPage(
    ["projects", platformId, year],
    (after) =>
      client
        .GET("/api/v1/projects", { params: { query: { platform_id: platformId ?? undefined, fiscal_year: year, after, limit: 200 } } })
        .then(({ data }) => data ?? { items: [] }),
    platformId !== null,
  );
}

export interface ProjectFormProps {
  platformId: string | null;
  /** Fiscal year of a new project. */
  year: number;
  project?: Project;
  /** Place of a new project: after the last one. */
  position?: number;
  onClose: () => void;
  onCreated?: (id: string) => void;
}

/** A new project, or what stands in the head of one. */
export function ProjectForm({ platformId, year, project, position = 0, onClose, onCreated }: ProjectFormProps) {
  const [copying, setCopying] = useState(true);
  const earlier = useProjects(platformId, (project?.fiscal_year ?? year) - 1);
  const toDraft = (from: Project | undefined): Draft => ({
    year: wafuFiscalYear(from?.fiscal_year ?? year),
    number: from?.number ?? "",
    name: from?.name ?? "",
    title: from?.title ?? "",
    isReference: from?.is_reference ?? false,
    progress: from?.progress ?? "planned",
    department: from?.lead_department ?? "",
    predecessorId: from?.predecessor_id ?? "",
    visibility: from?.visibility ?? "organization",
    position: String(from?.position ?? position),
  });
  const toFields = (draft: Draft): { fields: ProjectFields; errors: FieldErrors } => {
    const errors: FieldErrors = {};
    const fiscalYear = parseFiscalYear(draft.year);
    if (!draft.name.trim()) errors["/name"] = "事業名称を入力してください。";
    if (fiscalYear === null) errors["/fiscal_year"] = "年度を 令和6年度 または R6 のように入力してください。";
    if (!/^\d+$/.test(draft.position.normalize("NFKC").trim())) errors["/position"] = "表示順は整数で入力してください。";
    return {
      errors,
      fields: {
        platform_id: platformId,
        fiscal_year: fiscalYear ?? year,
        number: filled(draft.number),
        name: draft.name.trim(),
        title: filled(draft.title),
        is_reference: draft.isReference,
        progress: draft.progress,
        lead_department: filled(draft.department),
        predecessor_id: draft.predecessorId || null,
        visibility: draft.visibility,
        position: Number(draft.position.normalize("NFKC")) || 0,
      },
    };
  };
  /** Last year's text goes on; what came out of it does not. */
  const create = async (fields: ProjectFields, header: { "Idempotency-Key": string }) => {
    let body = fields;
    if (copying && fields.predecessor_id) {
      const { data: last } = await client.GET("/api/v1/projects/{project_id}", { params: { path: { project_id: fields.predecessor_id } } });
      if (last) {
        const { content, aims, summary, ingenuity_points, detail_aims } = last;
        body = { ...fields, content, aims, summary, ingenuity_points, detail_aims };
      }
    }
    const { data } = await client.POST("/api/v1/projects", { params: { header }, body });
    return data?.id;
  };
  return (
    <RecordDialog<Project, Draft, ProjectFields>
      wide
      title={project ? "事業の基本情報を編集" : "事業を追加"}
      submitLabel={project ? "変更する" : "追加する"}
      record={project}
      toDraft={toDraft}
      toFields={toFields}
      names={NAMES}
      create={create}
      update={(body, header) => client.PATCH("/api/v1/projects/{project_id}", { params: { path: { project_id: project?.id ?? "" }, header }, body })}
      onClose={onClose}
      onSaved={(id) => typeof id === "string" && onCreated?.(id)}
    >
      {({ draft, set, field }) => {
        const understood = parseFiscalYear(draft.year);
        return (
          <>
            {(earlier.data?.length ?? 0) > 0 && (
              <div>
                <Select
                  {...field("/predecessor_id")}
                  label="引き継ぐ前年度の事業"
                  required={false}
                  value={draft.predecessorId}
                  onChange={(predecessorId) => {
                    const last = earlier.data?.find(({ id }) => id === predecessorId);
                    set({ predecessorId, ...(!project && last && { name: last.name, number: last.number ?? "", title: last.title ?? "", isReference: last.is_reference }) });
                  }}
                  options={[
                    { value: "", label: "なし" },
                    ...(earlier.data?.map(({ id, number, name }) => ({ value: id, label: `${number ? `${number} ` : ""}${name}` })) ?? []),
                  ]}
                />
                {!project && draft.predecessorId && (
                  <Checkbox
                    label="内容・目的・概要・工夫点・ねらいを写す"
                    hint="結果、成果検証、実施時期、費用は空欄で始まります。"
                    checked={copying}
                    onChange={setCopying}
                  />
                )}
              </div>
            )}
            <div className="grid gap-5 md:grid-cols-2">
              <TextField {...field("/name")} label="事業名称" required className="md:col-span-2" value={draft.name} onChange={(name) => set({ name })} />
              <TextField {...field("/title")} label="個票の見出し" required={false} hint="事業名称と異なるときだけ入力します。" className="md:col-span-2" value={draft.title} onChange={(title) => set({ title })} />
              <TextField {...field("/number")} label="番号" required={false} hint="資料での番号です。" value={draft.number} onChange={(number) => set({ number })} />
              <TextField
                {...field("/fiscal_year")}
                label="年度"
                required
                hint={understood === null ? "例：令和6年度、R6" : fiscalYearLabel(understood)}
                value={draft.year}
                onChange={(typed) => set({ year: typed })}
              />
              <Select {...field("/progress")} label="進み具合" required hint="中止しても、予定していた時期は残ります。" value={draft.progress} onChange={(progress) => set({ progress: progress as Draft["progress"] })} options={optionsOf(PROGRESS)} />
              <TextField {...field("/lead_department")} label="担当部局" required={false} value={draft.department} onChange={(department) => set({ department })} />
              <Select {...field("/visibility")} label="公開範囲" required value={draft.visibility} onChange={(visibility) => set({ visibility: visibility as Draft["visibility"] })} options={optionsOf(VISIBILITIES)} />
              <TextField {...field("/position")} label="表示順" required inputMode="numeric" value={draft.position} onChange={(typed) => set({ position: typed })} />
            </div>
            <Checkbox label="※参考（報告するが、試行的事業には含めない）" checked={draft.isReference} onChange={(isReference) => set({ isReference })} />
          </>
        );
      }}
    </RecordDialog>
  );
}
