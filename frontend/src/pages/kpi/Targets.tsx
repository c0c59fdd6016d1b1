import { useState } from "react";
import { may, useIdentity } from "../../api";
import { fiscalYearLabel, formatInstant } from "../../lib/date";
import { Button, EmptyState, QueryView, Table } from "../../ui";
import { TargetForm } from "./TargetForm";
import { formatTarget, targetInForce, type KpiDetail, type Target } from "./words";

type Query = Parameters<typeof QueryView<Target[]>>[0]["query"];

/** Targets by year with their reasoning; what was replaced stays visible under the one in force. */
export function Targets({ kpi, query, year }: { kpi: KpiDetail; query: Query; year: number }) {
  const identity = useIdentity();
  const [form, setForm] = useState<{ replaced?: Target }>();
  const editable = may(identity, "kpi_targets", "create", kpi);
  return (
    <section className="mt-8">
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <h2>目標</h2>
        {editable && (
          <Button variant="secondary" size="sm" onClick={() => setForm({})}>
            目標を設定
          </Button>
        )}
      </div>
      <QueryView query={query} what="目標">
        {(targets) => {
          const years = [...new Set(targets.map((target) => target.fiscal_year))];
          const rows = years.flatMap((each) => targetInForce(targets, each) ?? []);
          return (
            <>
              {rows.length === 0 ? (
                <EmptyState title="目標はまだ設定されていません">年度ごとに目標値とその考え方を記録できます。数値目標を設定しない場合も、その理由を残せます。</EmptyState>
              ) : (
                <Table
                  caption="年度ごとの目標"
                  captionHidden
                  rows={rows}
                  rowKey={({ id }) => id}
                  columns={[
                    { key: "year", header: "年度", rowHeader: true, width: "13rem", cell: (target) => fiscalYearLabel(target.fiscal_year) },
                    {
                      key: "target",
                      header: "目標",
                      width: "12rem",
                      cell: (target) => (
                        <>
                          <span className="whitespace-pre-wrap font-bold">{formatTarget(target, kpi)}</span>
                          {target.printed && <span className="block text-sm">原文：{target.printed}</span>}
                          {target.scope && <span className="block text-sm">対象：{target.scope}</span>}
                        </>
                      ),
                    },
                    { key: "rationale", header: "考え方", width: "12rem", cell: (target) => <span className="whitespace-pre-wrap">{target.rationale}</span> },
                    {
                      key: "changes",
                      header: "変更の記録",
                      width: "20rem",
                      cell: (target) => <Changes target={target} targets={targets} kpi={kpi} />,
                    },
                    ...(editable
                      ? [
                          {
                            key: "actions",
                            header: "操作",
                            screenOnly: true,
                            width: "6rem",
                            cell: (target: Target) => (
                              <Button variant="secondary" size="sm" aria-label={`${fiscalYearLabel(target.fiscal_year)}の目標を変更`} onClick={() => setForm({ replaced: target })}>
                                変更
                              </Button>
                            ),
                          },
                        ]
                      : []),
                  ]}
                />
              )}
              {form && <TargetForm kpi={kpi} targets={targets} year={year} replaced={form.replaced} onClose={() => setForm(undefined)} />}
            </>
          );
        }}
      </QueryView>
    </section>
  );
}

function Changes({ target, targets, kpi }: { target: Target; targets: readonly Target[]; kpi: KpiDetail }) {
  const revisions = targets.filter(({ fiscal_year: year }) => year === target.fiscal_year).sort((a, b) => b.revision - a.revision);
  if (revisions.length === 1) return <span className="text-sm">{formatInstant(target.created_at)}に設定</span>;
  return (
    <ol className="grid gap-2 text-sm">
      {revisions.map((revision, index) => {
        const before = revisions[index + 1];
        return (
          <li key={revision.id} className="border-s-4 border-solid-gray-300 ps-2">
            第{revision.revision}版　{formatInstant(revision.created_at)}
            {before ? (
              <>
                <span className="block">
                  <s>{formatTarget(before, kpi)}</s> → <strong>{formatTarget(revision, kpi)}</strong>
                </span>
                <span className="block whitespace-pre-wrap">理由：{revision.reason}</span>
              </>
            ) : (
              <span className="block">最初の目標：{formatTarget(revision, kpi)}</span>
            )}
          </li>
        );
      })}
    </ol>
  );
}
