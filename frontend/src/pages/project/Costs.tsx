import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, etagOf, isApiError, may, useEveryPage, useIdentity, useWrite, type components } from "../../api";
import { formatYen, parseNumber } from "../../lib/decimal";
import { Button, Checkbox, ConfirmDialog, EmptyState, HistoryLink, Notice, NumberField, QueryView, Table, TextArea, TextField, type FieldErrors } from "../../ui";
import { RecordDialog } from "../platform/RecordDialog";
import { filled } from "../platform/words";
import type { Project } from "./words";

type Cost = components["schemas"]["ProjectCost"];
type Fields = components["schemas"]["ProjectCostFields"];

/** 約500,000円; zero is a figure, an unknown amount is none. */
const amountOf = ({ amount_yen: amount, approximate }: Pick<Cost, "amount_yen" | "approximate">) =>
  amount === null || amount === undefined ? "" : `${approximate ? "約" : ""}${formatYen(String(amount))}`;

/** The sum of the known amounts; one approximate part makes it approximate. */
export function sumOf(costs: readonly Pick<Cost, "amount_yen" | "approximate">[]): string {
  const known = costs.filter(({ amount_yen: amount }) => amount !== null && amount !== undefined);
  if (known.length === 0) return "";
  const total = known.reduce((sum, { amount_yen: amount }) => sum + BigInt(amount ?? 0), 0n);
  return `${known.some(({ approximate }) => approximate) ? "約" : ""}${formatYen(String(total))}`;
}

/** What the project costs and who is paid. Never public: whoever may not see it does not see the heading either. */
export function CostsPart({ project }: { project: Project }) {
  const identity = useIdentity();
  const [form, setForm] = useState<{ cost?: Cost }>();
  const [removing, setRemoving] = useState<Cost>();
  const editable = may(identity, "project_costs", "create", project);
  const costs = useEveryPage(["project-costs", project.id], (after) =>
    client.GET("/api/v1/project-costs", { params: { query: { project_id: project.id, after, limit: 200 } } }).then(({ data }) => data ?? { items: [] }),
  );
  if (isApiError(costs.error) && costs.error.status === 403) return null;
  if (costs.data?.length === 0 && !editable) return null;
  const unknown = costs.data?.filter(({ amount_yen: amount }) => amount === null).length ?? 0;
  return (
    <section>
      <div className="mb-2 flex flex-wrap items-center justify-between gap-3">
        <h2>発注先・予算</h2>
        {editable && (
          <Button variant="secondary" size="sm" className="no-print" onClick={() => setForm({})}>
            費用を追加
          </Button>
        )}
      </div>
      <QueryView query={costs} what="費用">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState title="費用はまだ登録されていません">費用がかからない事業は、金額を0円として登録してください。</EmptyState>
          ) : (
            <>
              <Table
                caption="発注先・予算"
                captionHidden
                rows={rows}
                rowKey={({ id }) => id}
                columns={[
                  { key: "contractor", header: "発注先", rowHeader: true, width: "16rem", cell: ({ contractor }) => contractor ?? "直営" },
                  { key: "items", header: "費目", width: "12rem", cell: ({ items }) => items.join("、") },
                  { key: "amount", header: "金額", number: true, width: "10rem", cell: (cost) => amountOf(cost) || "金額未入力" },
                  {
                    key: "printed",
                    header: "資料の表記・備考",
                    width: "14rem",
                    cell: ({ printed, note }) => (
                      <>
                        {printed}
                        {note && <span className="block whitespace-pre-wrap text-sm">{note}</span>}
                      </>
                    ),
                  },
                  ...(editable
                    ? [
                        {
                          key: "actions",
                          header: <span className="sr-only">操作</span>,
                          width: "10rem",
                          cell: (cost: Cost) => (
                            <span className="no-print -my-2 flex flex-wrap gap-1">
                              <Button variant="text" size="sm" aria-label={`${cost.contractor ?? "直営"}の費用を編集`} onClick={() => setForm({ cost })}>
                                編集
                              </Button>
                              <Button variant="text" size="sm" aria-label={`${cost.contractor ?? "直営"}の費用を削除`} onClick={() => setRemoving(cost)}>
                                削除
                              </Button>
                              <HistoryLink entity="project_costs" id={cost.id} name={`${cost.contractor ?? "直営"}の費用`}>
                                履歴
                              </HistoryLink>
                            </span>
                          ),
                        },
                      ]
                    : []),
                ]}
              />
              <p className="mt-2 text-end font-bold">
                合計：{sumOf(rows) || "－"}
                {unknown > 0 && <span className="font-normal">（金額未入力の{unknown}件を除く）</span>}
              </p>
            </>
          )
        }
      </QueryView>
      {form && <CostForm project={project} cost={form.cost} position={(costs.data?.at(-1)?.position ?? 0) + 1} onClose={() => setForm(undefined)} />}
      {removing && <Remove cost={removing} onClose={() => setRemoving(undefined)} />}
    </section>
  );
}

function Remove({ cost, onClose }: { cost: Cost; onClose: () => void }) {
  const queries = useQueryClient();
  const { busy, error, run } = useWrite();
  const go = async () => {
    const done = await run(cost.version, (key) =>
      client
        .DELETE("/api/v1/project-costs/{project_cost_id}", { params: { path: { project_cost_id: cost.id }, header: { ...key, "If-Match": etagOf(cost.version) } } })
        .then(() => true),
    );
    await queries.invalidateQueries({ queryKey: ["project-costs"] });
    if (done) onClose();
  };
  return (
    <ConfirmDialog open title="この費用を削除しますか" confirmLabel="削除する" variant="danger" busy={busy} onConfirm={() => void go()} onClose={onClose}>
      <p>
        {cost.contractor ?? "直営"}　{amountOf(cost)}
      </p>
      <p>誤って登録した費用を削除します。変更の履歴には残ります。</p>
      {error && (
        <Notice tone="error" live title="削除できませんでした">
          {error.message}
        </Notice>
      )}
    </ConfirmDialog>
  );
}

interface Draft {
  contractor: string;
  items: string;
  amount: string;
  approximate: boolean;
  printed: string;
  note: string;
}

function CostForm({ project, cost, position, onClose }: { project: Project; cost?: Cost; position: number; onClose: () => void }) {
  const toFields = (draft: Draft): { fields: Fields; errors: FieldErrors } => {
    const errors: FieldErrors = {};
    const amount = parseNumber(draft.amount);
    const valid = amount !== null && /^\d{1,15}$/.test(amount);
    if (draft.amount.trim() && !valid) errors["/amount_yen"] = "金額は0以上の整数（円）で入力してください。例：500000、50万";
    return {
      errors,
      fields: {
        project_id: project.id,
        contractor: filled(draft.contractor),
        contractor_id: cost?.contractor_id ?? null,
        items: draft.items.split(/[、,\n]/).flatMap((item) => filled(item) ?? []),
        amount_yen: valid ? Number(amount) : null,
        approximate: draft.approximate,
        printed: filled(draft.printed),
        note: filled(draft.note),
        position: cost?.position ?? position,
      },
    };
  };
  return (
    <RecordDialog<Cost, Draft, Fields>
      title={cost ? "費用を編集" : "費用を追加"}
      submitLabel={cost ? "変更する" : "追加する"}
      record={cost}
      names={{ contractor: "発注先", items: "費目", amount_yen: "金額", approximate: "概算", printed: "資料の表記", note: "備考" }}
      toDraft={(from) => ({
        contractor: from?.contractor ?? "",
        items: from?.items.join("、") ?? "",
        amount: from?.amount_yen === null || from?.amount_yen === undefined ? "" : String(from.amount_yen),
        approximate: from?.approximate ?? false,
        printed: from?.printed ?? "",
        note: from?.note ?? "",
      })}
      toFields={toFields}
      create={(body, header) => client.POST("/api/v1/project-costs", { params: { header }, body })}
      update={(body, header) => client.PATCH("/api/v1/project-costs/{project_cost_id}", { params: { path: { project_cost_id: cost?.id ?? "" }, header }, body })}
      onClose={onClose}
    >
      {({ draft, set, field }) => (
        <>
          <TextField {...field("/contractor")} label="発注先" required={false} hint="空欄は直営です。" value={draft.contractor} onChange={(contractor) => set({ contractor })} />
          <TextField {...field("/items")} label="費目" required={false} hint="例：謝金、旅費。「、」で区切ります。" value={draft.items} onChange={(items) => set({ items })} />
          <NumberField {...field("/amount_yen")} label="金額" required={false} suffix="円" hint="費用がかからないときは0、わからないときは空欄にします。" value={draft.amount} onChange={(amount) => set({ amount })} />
          <Checkbox label="概算（約・程度）" checked={draft.approximate} onChange={(approximate) => set({ approximate })} />
          <TextField {...field("/printed")} label="資料の表記" required={false} hint="例：有識者謝金、交通費、宿泊費（50万円程度）" value={draft.printed} onChange={(printed) => set({ printed })} />
          <TextArea {...field("/note")} label="備考" required={false} rows={2} value={draft.note} onChange={(note) => set({ note })} />
        </>
      )}
    </RecordDialog>
  );
}
