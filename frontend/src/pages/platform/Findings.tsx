import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { $api, client, may, useIdentity, type components } from "../../api";
import { Button, EmptyState, PrivacyHint, QueryView, RadioGroup, Table, TextArea, type FieldErrors } from "../../ui";
import { RecordDialog } from "./RecordDialog";
import { FINDING_RULES } from "./words";

type Schemas = components["schemas"];
type Finding = Schemas["Finding"];
type Note = Schemas["FindingNote"];
type Fields = Schemas["FindingNoteFields"];

const STATES: Record<Schemas["FindingState"], { sign: string; word: string }> = {
  open: { sign: "▲", word: "未確認" },
  explained: { sign: "✓", word: "説明済" },
  fixed: { sign: "◎", word: "修正済" },
};

/** Where the record of a finding is shown. */
function placeOf({ record_entity: entity, record_id: id }: Finding): { label: string; to?: string } {
  if (entity === "projects") return { label: "事業", to: `/projects/${id}` };
  if (entity === "kpis") return { label: "KPI", to: `/kpis/${id}` };
  if (entity === "platform_years") return { label: "年度の内容" };
  if (entity === "project_costs") return { label: "費用" };
  return { label: "KPIの掲載" };
}

const keyOf = ({ rule, record_id: record, field, printed }: Finding) => [rule, record, field, printed].join(" ");

export function useFindings(query: { platform_id: string } | { project_id: string }) {
  return $api.useQuery("get", "/api/v1/findings", { params: { query } });
}

/** Printed facts that the record contradicts: nothing is corrected, but everything can be explained. */
export function Findings({ query }: { query: { platform_id: string } | { project_id: string } }) {
  const identity = useIdentity();
  const findings = useFindings(query);
  const [explaining, setExplaining] = useState<Finding>();
  const editor = may(identity, "finding_notes", "create");
  return (
    <>
      <QueryView query={findings} what="指摘事項">
        {({ items }) =>
          items.length === 0 ? (
            <EmptyState title="指摘事項はありません">資料の表記と記録が食い違うと、ここに表示されます。</EmptyState>
          ) : (
            <>
              <p className="mb-3">
                資料の表記と記録の食い違いです。表記は自動では直しません。理由がわかるものは説明を残し、誤りは元の記録で直してください。
              </p>
              <Table
                caption="指摘事項"
                captionHidden
                rows={items}
                rowKey={keyOf}
                columns={[
                  {
                    key: "state",
                    header: "状態",
                    width: "7rem",
                    cell: ({ state }) => (
                      <strong>
                        <span aria-hidden="true">{STATES[state].sign}</span> {STATES[state].word}
                      </strong>
                    ),
                  },
                  {
                    key: "message",
                    header: "指摘",
                    rowHeader: true,
                    width: "20rem",
                    cell: (finding) => {
                      const { label, to } = placeOf(finding);
                      return (
                        <>
                          <span className="block">{FINDING_RULES[finding.rule]}</span>
                          <span className="block font-normal">{finding.message}</span>
                          {to ? (
                            <Link to={to} className="link font-normal">
                              {label}を開く
                            </Link>
                          ) : (
                            <span className="text-sm font-normal">{label}</span>
                          )}
                        </>
                      );
                    },
                  },
                  { key: "printed", header: "資料の表記", width: "14rem", cell: ({ printed }) => printed },
                  { key: "computed", header: "記録から求めた内容", width: "14rem", cell: ({ computed }) => computed },
                  {
                    key: "note",
                    header: "説明",
                    width: "16rem",
                    cell: (finding) => (
                      <>
                        {finding.note && <span className="block whitespace-pre-wrap">{finding.note.explanation}</span>}
                        {editor && (
                          <Button
                            className="no-print"
                            variant="secondary"
                            size="sm"
                            aria-label={`「${finding.printed}」の説明を${finding.note ? "編集" : "記入"}`}
                            onClick={() => setExplaining(finding)}
                          >
                            {finding.note ? "説明を編集" : "説明する"}
                          </Button>
                        )}
                      </>
                    ),
                  },
                ]}
              />
            </>
          )
        }
      </QueryView>
      {explaining && <Explain finding={explaining} onClose={() => setExplaining(undefined)} />}
    </>
  );
}

interface Draft {
  state: NonNullable<Fields["state"]>;
  note: string;
}

function Explain({ finding, onClose }: { finding: Finding; onClose: () => void }) {
  const toFields = ({ state, note }: Draft): { fields: Fields; errors: FieldErrors } => ({
    errors: note.trim() ? {} : { "/explanation": "説明を入力してください。" },
    fields: { entity: finding.record_entity, record_id: finding.record_id, rule: finding.rule, printed: finding.printed, state, explanation: note.trim() },
  });
  return (
    <RecordDialog<Note, Draft, Fields>
      title={`${FINDING_RULES[finding.rule]}の説明`}
      submitLabel="保存する"
      record={finding.note ?? undefined}
      names={{ state: "扱い", explanation: "説明" }}
      toDraft={(note) => ({ state: note?.state ?? "explained", note: note?.explanation ?? "" })}
      toFields={toFields}
      create={(body, header) => client.POST("/api/v1/finding-notes", { params: { header }, body })}
      update={(body, header) =>
        client.PATCH("/api/v1/finding-notes/{finding_note_id}", { params: { path: { finding_note_id: finding.note?.id ?? "" }, header }, body })
      }
      onClose={onClose}
    >
      {({ draft, set, field }) => (
        <>
          <dl className="grid gap-1">
            <dt className="font-bold">資料の表記</dt>
            <dd>{finding.printed}</dd>
            <dt className="font-bold">指摘</dt>
            <dd>{finding.message}</dd>
          </dl>
          <RadioGroup
            label="扱い"
            required
            value={draft.state}
            onChange={(state) => set({ state: state as Draft["state"] })}
            options={[
              { value: "explained", label: "説明済", hint: "表記はそのまま残し、理由を説明します。" },
              { value: "fixed", label: "修正済", hint: "元の資料で訂正しました。" },
            ]}
          />
          <TextArea {...field("/explanation")} label="説明" required hint={<PrivacyHint />} value={draft.note} onChange={(note) => set({ note })} />
        </>
      )}
    </RecordDialog>
  );
}
