import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, etagOf, useWrite, type components } from "../../api";
import { fiscalYearLabel, parseDate } from "../../lib/date";
import { announce, Checkbox, DateField, FormDialog, HistoryLink, Select, TextField, type FieldErrors } from "../../ui";
import { RecordDialog } from "../platform/RecordDialog";
import { filled } from "../platform/words";
import { PROGRESS_WORDS, type Item, type Progress } from "./sheet";

type Fields = Pick<components["schemas"]["RoadmapItemFields"], "progress" | "due_on" | "responsible" | "marker" | "continues">;

const NAMES: Record<keyof Fields, string> = { progress: "進捗", due_on: "期限", responsible: "担当", marker: "行頭の記号", continues: "次年度以降も継続" };

interface Draft {
  progress: Progress;
  due: string;
  responsible: string;
  marker: string;
  continues: boolean;
}

/** What belongs to a line apart from its words: progress, date, person. */
export function ItemDetails({ item, onClose }: { item: Item; onClose: () => void }) {
  const toFields = (draft: Draft): { fields: Fields; errors: FieldErrors } => {
    const due = draft.due.trim() ? parseDate(draft.due, item.fiscal_year)?.date : null;
    return {
      errors: due === undefined ? { "/due_on": "期限を 令和6年12月7日 または 12/7 のように入力してください。" } : {},
      fields: { progress: draft.progress, due_on: due ?? null, responsible: filled(draft.responsible), marker: filled(draft.marker), continues: draft.continues },
    };
  };
  const progress = (Object.entries(PROGRESS_WORDS) as [Progress, string][])
    // 繰越済 is set by carrying over, which also writes the line of the later year.
    .filter(([value]) => value !== "carried_over" || item.progress === "carried_over")
    .map(([value, label]) => ({ value, label }));
  return (
    <RecordDialog<Item, Draft, Fields>
      title="進捗・期限・担当"
      submitLabel="変更する"
      record={item}
      toDraft={(record) => ({
        progress: record?.progress ?? "not_started",
        due: record?.due_on ?? "",
        responsible: record?.responsible ?? "",
        marker: record?.marker ?? "",
        continues: record?.continues ?? false,
      })}
      toFields={toFields}
      names={NAMES}
      update={(body, header) => client.PATCH("/api/v1/roadmap-items/{roadmap_item_id}", { params: { path: { roadmap_item_id: item.id }, header }, body })}
      onClose={onClose}
    >
      {({ draft, set, field }) => (
        <>
          <p className="whitespace-pre-wrap rounded-8 bg-solid-gray-50 px-3 py-2">{item.text}</p>
          <Select {...field("/progress")} label="進捗" value={draft.progress} onChange={(value) => set({ progress: value as Progress })} options={progress} />
          <DateField {...field("/due_on")} label="期限" required={false} fiscalYear={item.fiscal_year} value={draft.due} onChange={(due) => set({ due })} />
          <TextField {...field("/responsible")} label="担当" required={false} hint="例：健康福祉課、地域福祉係" value={draft.responsible} onChange={(responsible) => set({ responsible })} />
          <TextField {...field("/marker")} label="行頭の記号" required={false} hint="例：◎、●" value={draft.marker} onChange={(marker) => set({ marker })} maxLength={10} />
          <Checkbox label="次年度以降も継続的に実施する" checked={draft.continues} onChange={(continues) => set({ continues })} />
          <p>
            <HistoryLink entity="roadmap_items" id={item.id} />
          </p>
        </>
      )}
    </RecordDialog>
  );
}

/** The line goes on in a later year; here it is marked, there it stands anew. */
export function CarryOver({ item, lastYear, onClose }: { item: Item; lastYear: number; onClose: () => void }) {
  const queries = useQueryClient();
  const years = Array.from({ length: lastYear - item.fiscal_year }, (_, index) => item.fiscal_year + 1 + index);
  const [year, setYear] = useState(item.fiscal_year + 1);
  const { busy, error, run } = useWrite();
  const save = async () => {
    const header = { "If-Match": etagOf(item.version) };
    const done = await run(year, (key) =>
      client
        .POST("/api/v1/roadmap-items/{roadmap_item_id}/carry-over", { params: { path: { roadmap_item_id: item.id }, header: { ...key, ...header } }, body: { fiscal_year: year } })
        .then(() => true),
    );
    await queries.invalidateQueries();
    if (!done) return;
    announce(`${fiscalYearLabel(year)}に繰り越しました`);
    onClose();
  };
  return (
    <FormDialog open form="carry-over" title="取り組みを繰り越す" submitLabel="繰り越す" errors={{}} failure={error} busy={busy} onSubmit={() => void save()} onClose={onClose}>
      <p className="whitespace-pre-wrap rounded-8 bg-solid-gray-50 px-3 py-2">{item.text}</p>
      <Select label="繰り越し先の年度" value={String(year)} onChange={(value) => setYear(Number(value))} options={years.map((one) => ({ value: String(one), label: fiscalYearLabel(one) }))} />
      <p>この行は「繰越済」になり、繰り越し先の年度に「未着手」の行ができます。期限は新しい行で入力してください。</p>
    </FormDialog>
  );
}
