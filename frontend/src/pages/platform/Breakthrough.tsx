import { useState } from "react";
import { client, may, useIdentity, type components } from "../../api";
import { fiscalYearLabel } from "../../lib/date";
import { formatPeriod, formatUnderstood, understandPeriod } from "../../lib/period";
import { Button, EmptyState, PrivacyHint, QueryView, Table, TextArea, TextField, useFiscalYear, type FieldErrors } from "../../ui";
import { RecordDialog, Rows } from "./RecordDialog";
import { NoYear } from "./Story";
import { useYearRecord } from "./useYearRecord";
import type { Platform, PlatformYear } from "./words";

type Schemas = components["schemas"];
type Fields = Pick<Schemas["PlatformYearFields"], "breakthrough">;

/** What stood in the way, what was done, what changed, along a time axis. */
export function Breakthrough({ platform }: { platform: Platform }) {
  const identity = useIdentity();
  const year = useFiscalYear();
  const record = useYearRecord(platform.id, year);
  const [editing, setEditing] = useState(false);
  return (
    <QueryView query={record} what="ブレイクスルー要因">
      {({ items: [found] }) => {
        if (!found) return <NoYear platform={platform} year={year} />;
        const edit = may(identity, "platform_years", "update", found) && (
          <Button variant="secondary" size="sm" onClick={() => setEditing(true)}>
            {found.breakthrough ? "ブレイクスルー要因を編集" : "ブレイクスルー要因を記入"}
          </Button>
        );
        return (
          <>
            {found.breakthrough ? (
              <>
                <div className="mb-4 flex flex-wrap items-start justify-between gap-3">
                  <h3>テーマ：{found.breakthrough.theme}</h3>
                  <div className="no-print">{edit}</div>
                </div>
                {(found.breakthrough.timeline?.length ?? 0) > 0 && (
                  <ol aria-label="時間の流れ" className="mb-4 flex flex-wrap gap-x-3 gap-y-2">
                    {found.breakthrough.timeline?.map((period, index) => (
                      <li key={index} className="flex items-center gap-3">
                        {index > 0 && <span aria-hidden="true">→</span>}
                        <span className="rounded-8 border border-key-900 px-3 py-1 font-bold">{formatPeriod(period)}</span>
                      </li>
                    ))}
                  </ol>
                )}
                <Table
                  caption={`${fiscalYearLabel(year)}のブレイクスルー要因`}
                  captionHidden
                  rows={(found.breakthrough.factors ?? []).map((factor, index) => ({ ...factor, number: index + 1 }))}
                  rowKey={({ number }) => String(number)}
                  columns={[
                    { key: "number", header: "番号", width: "4rem", rowHeader: true, cell: ({ number }) => number },
                    { key: "issue", header: "取り組み課題", cell: ({ issue }) => <Lines text={issue} /> },
                    { key: "action", header: "アクション／ブレイクスルー要因", cell: ({ action }) => <Lines text={action} /> },
                    { key: "change", header: "その後の変化", cell: ({ change }) => <Lines text={change} /> },
                  ]}
                />
              </>
            ) : (
              <EmptyState title={`${fiscalYearLabel(year)}のブレイクスルー要因は未記入です`} actions={edit}>
                課題、行ったこと、その後の変化を、時間の流れとともに記録します。
              </EmptyState>
            )}
            {editing && <BreakthroughForm record={found} onClose={() => setEditing(false)} />}
          </>
        );
      }}
    </QueryView>
  );
}

const Lines = ({ text }: { text: string }) => <span className="whitespace-pre-wrap">{text}</span>;

interface Draft {
  theme: string;
  timeline: { printed: string }[];
  factors: { issue: string; action: string; change: string }[];
}

function BreakthroughForm({ record, onClose }: { record: PlatformYear; onClose: () => void }) {
  const year = record.fiscal_year;
  const toDraft = (from: PlatformYear | undefined): Draft => ({
    theme: from?.breakthrough?.theme ?? "",
    timeline: from?.breakthrough?.timeline?.map((period) => ({ printed: formatPeriod(period) })) ?? [],
    factors: from?.breakthrough?.factors ?? [],
  });
  const toFields = ({ theme, timeline, factors }: Draft): { fields: Fields; errors: FieldErrors } => {
    const errors: FieldErrors = {};
    if (!theme.trim()) errors["/breakthrough/theme"] = "テーマを入力してください。";
    const stored = record.breakthrough?.timeline ?? [];
    return {
      errors,
      fields: {
        breakthrough: {
          theme: theme.trim(),
          timeline: timeline
            .filter(({ printed }) => printed.trim())
            // What was not typed anew keeps the dates it came with.
            .map(({ printed }) => stored.find((period) => formatPeriod(period) === printed) ?? understandPeriod(printed.trim(), year).when),
          factors: factors.map(({ issue, action, change }) => ({ issue: issue.trim(), action: action.trim(), change: change.trim() })),
        },
      },
    };
  };
  return (
    <RecordDialog<PlatformYear, Draft, Fields>
      wide
      title={`${fiscalYearLabel(year)}のブレイクスルー要因`}
      submitLabel="保存する"
      record={record}
      toDraft={toDraft}
      toFields={toFields}
      names={{ breakthrough: "ブレイクスルー要因" }}
      update={(body, header) => client.PATCH("/api/v1/platform-years/{platform_year_id}", { params: { path: { platform_year_id: record.id }, header }, body })}
      onClose={onClose}
    >
      {({ draft, set, field }) => (
        <>
          <TextField {...field("/breakthrough/theme")} label="テーマ" required value={draft.theme} onChange={(theme) => set({ theme })} />
          <Rows label="時期" rows={draft.timeline} onChange={(timeline) => set({ timeline })} blank={{ printed: "" }}>
            {({ printed }, change) => (
              <TextField
                label="時期の表記"
                size="sm"
                hint={formatUnderstood(understandPeriod(printed, year).when) || "例：令和6年4月、令和6年9月～令和7年2月"}
                value={printed}
                onChange={(text) => change({ printed: text })}
              />
            )}
          </Rows>
          <Rows label="要因" rows={draft.factors} onChange={(factors) => set({ factors })} blank={{ issue: "", action: "", change: "" }}>
            {(factor, change, index) => (
              <div className="grid gap-3 md:grid-cols-3">
                <TextArea {...field(`/breakthrough/factors/${index}/issue`)} label="取り組み課題" rows={3} value={factor.issue} onChange={(issue) => change({ issue })} />
                <TextArea {...field(`/breakthrough/factors/${index}/action`)} label="アクション／ブレイクスルー要因" rows={3} value={factor.action} onChange={(action) => change({ action })} />
                <TextArea {...field(`/breakthrough/factors/${index}/change`)} label="その後の変化" rows={3} value={factor.change} onChange={(value) => change({ change: value })} />
              </div>
            )}
          </Rows>
          <PrivacyHint />
        </>
      )}
    </RecordDialog>
  );
}
