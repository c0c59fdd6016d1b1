import { useQueryClient } from "@tanstack/react-query";
import { client, etagOf, may, textConflict, useIdentity, useWrite, writeHeaders, type components } from "../../api";
import { fiscalYearLabel, wafuFiscalYear } from "../../lib/date";
import type { Prose } from "../../lib/prose";
import { announce, Button, EditableProse, EditableText, EmptyState, HistoryLink, Notice, QueryView, useFiscalYear } from "../../ui";
import { proseConflict } from "./proseConflict";
import { useYearRecord } from "./useYearRecord";
import { readOnlyReason, type Platform, type PlatformYear } from "./words";

type Fields = components["schemas"]["PlatformYearFields"];
type ProseField = "goals_of_year" | "final_goals" | "prior_efforts" | "partnership_values" | "trial_points" | "next_year_proposals" | "reactions" | "process_notes";

/** Headings in the order of the programme's report. Empty ones are shown too. */
const BEFORE: [ProseField, string][] = [
  ["goals_of_year", "今年度のゴール"],
  ["final_goals", "最終的なゴール"],
];
const AFTER: [ProseField, string][] = [
  ["prior_efforts", "従前の取り組み"],
  ["partnership_values", "連携による価値や工夫"],
  ["trial_points", "試行的事業のポイント・工夫"],
  ["next_year_proposals", "次年度以降に向けた事業等の案"],
  ["reactions", "公表した際の反響"],
  ["process_notes", "構築プロセスにおける留意点"],
];

export function Story({ platform }: { platform: Platform }) {
  const identity = useIdentity();
  const year = useFiscalYear();
  const record = useYearRecord(platform.id, year);
  return (
    <QueryView query={record} what={`${fiscalYearLabel(year)}の内容`}>
      {({ items: [found] }) =>
        found ? (
          <Sections key={found.id} record={found} readOnlyReason={readOnlyReason(may(identity, "platform_years", "update", found))} />
        ) : (
          <NoYear platform={platform} year={year} />
        )
      }
    </QueryView>
  );
}

/** No record of this year: begin with empty headings, or with last year's text where it usually goes on. */
export function NoYear({ platform, year }: { platform: Platform; year: number }) {
  const identity = useIdentity();
  const queries = useQueryClient();
  const last = useYearRecord(platform.id, year - 1).data?.items[0];
  const { busy, error, run } = useWrite();
  if (!may(identity, "platform_years", "create", platform)) {
    return <EmptyState title={`${fiscalYearLabel(year)}の内容はまだありません`}>所有する組織が年度を始めると、ここに表示されます。</EmptyState>;
  }
  const begin = async (copied: Partial<Fields>) => {
    const body: Fields = { platform_id: platform.id, fiscal_year: year, ...copied };
    const done = await run(body, (header) => client.POST("/api/v1/platform-years", { params: { header }, body }).then(() => true));
    // Somebody else may have begun the year meanwhile: the page shows what there is now.
    await queries.invalidateQueries();
    if (done) announce(`${fiscalYearLabel(year)}を始めました`);
  };
  return (
    <div className="grid gap-4">
      {error && (
        <Notice tone="error" live title="年度を始められませんでした">
          {error.message}
        </Notice>
      )}
      <EmptyState
        title={`${fiscalYearLabel(year)}の内容はまだありません`}
        actions={
          <>
            {last && (
              <Button
                busy={busy}
                onClick={() =>
                  void begin({
                    goals_of_year: last.goals_of_year,
                    final_goals: last.final_goals,
                    final_goals_closing: last.final_goals_closing,
                    prior_efforts: last.prior_efforts,
                    partnership_values: last.partnership_values,
                    trial_points: last.trial_points,
                  })
                }
              >
                {wafuFiscalYear(year - 1)}の内容を写して始める
              </Button>
            )}
            <Button variant={last ? "secondary" : "primary"} busy={busy} onClick={() => void begin({})}>
              {last ? "空の見出しで始める" : `${wafuFiscalYear(year)}を始める`}
            </Button>
          </>
        }
      >
        {last
          ? `${wafuFiscalYear(year - 1)}のゴール、従前の取り組み、工夫を写せます。反響、次年度の案、留意点、ブレイクスルー要因は空欄で始まります。`
          : "年度を始めると、ゴールや工夫などの見出しに記入できます。"}
      </EmptyState>
    </div>
  );
}

function Sections({ record, readOnlyReason }: { record: PlatformYear; readOnlyReason?: string }) {
  const queries = useQueryClient();
  const save = async (body: Partial<Fields>, etag: string) => {
    const { data } = await client.PATCH("/api/v1/platform-years/{platform_year_id}", {
      params: { path: { platform_year_id: record.id }, header: writeHeaders(etag) },
      body,
    });
    await queries.invalidateQueries({ queryKey: ["get", "/api/v1/platform-years"] });
    return { etag: etagOf(data?.version ?? record.version) };
  };
  const section = ([field, label]: [ProseField, string]) => (
    <section key={field} className="keep-together rounded-8 border border-solid-gray-420 p-4">
      <h3 className="mb-2">{label}</h3>
      <EditableProse
        label={label}
        value={record[field] as Prose}
        etag={etagOf(record.version)}
        draftKey={`platform-years/${record.id}/${field}`}
        onSave={(prose, etag) => save({ [field]: prose }, etag)}
        toConflict={proseConflict(field)}
        readOnlyReason={readOnlyReason}
      />
      {field === "final_goals" && (
        <div className="mt-2">
          <EditableText
            label="最終的なゴールの結び"
            labelHidden
            value={record.final_goals_closing ?? ""}
            etag={etagOf(record.version)}
            draftKey={`platform-years/${record.id}/final_goals_closing`}
            emptyLabel={readOnlyReason ? " " : "（結びの文：未記入）"}
            maxLength={300}
            readOnlyReason={readOnlyReason}
            onSave={(text, etag) => save({ final_goals_closing: text.replace(/\s*\n\s*/g, " ").trim() || null }, etag)}
            toConflict={(error) => textConflict(error, "final_goals_closing")}
          />
        </div>
      )}
    </section>
  );
  return (
    <>
      {readOnlyReason && <p className="no-print mb-3 text-sm text-solid-gray-700">閲覧のみ：{readOnlyReason}。</p>}
      <div className="grid items-start gap-4 lg:grid-cols-2">{BEFORE.map(section)}</div>
      <div className="mt-4 grid items-start gap-4 lg:grid-cols-2">{AFTER.map(section)}</div>
      <p className="mt-2 text-end text-sm">
        <HistoryLink entity="platform_years" id={record.id}>
          この年度の変更の履歴
        </HistoryLink>
      </p>
    </>
  );
}
