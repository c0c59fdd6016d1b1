import { fiscalYear, fiscalYearLabel, formatInstant } from "../../lib/date";
import { Button, EmptyState, Table } from "../../ui";
import { byPeriod, formatPeriod, formatValue, QUALITIES, type KpiDetail, type Observation, type Recorded } from "./words";

export interface ValuesProps {
  kpi: KpiDetail;
  observations: readonly Observation[];
  year: number;
  seriesName: string;
  /** Absent: the reader may not correct. */
  onCorrect?: (observation: Observation) => void;
}

/** Every recorded value with its revisions. Of months and days those of the chosen year: there are twelve and more of them. */
export function Values({ kpi, observations, year, seriesName, onCorrect }: ValuesProps) {
  const rows = byPeriod(observations)
    .filter(({ newest }) => newest.period_kind === "fiscal_year" || fiscalYear(newest.period_start) === year)
    .reverse();
  const partial = observations.some(({ period_kind: kind }) => kind !== "fiscal_year");
  return (
    <section className="mt-10">
      <h2 className="mb-1">
        値の記録（{seriesName}）
      </h2>
      {partial && <p className="mb-3 text-solid-gray-700">年度の値と、{fiscalYearLabel(year)}の月・四半期・日などの値です。新しい順に並んでいます。</p>}
      {rows.length === 0 ? (
        <EmptyState title={partial ? `${fiscalYearLabel(year)}の値はまだありません` : "値はまだ記録されていません"}>
          {partial ? "年度を切り替えると、ほかの年度の値が見られます。" : onCorrect ? "「値を入力」から記録してください。値がないことも、理由とともに記録できます。" : "値が記録されると、ここに表示されます。"}
        </EmptyState>
      ) : (
        <Table
          caption={`値の記録（${seriesName}）`}
          captionHidden
          rows={rows}
          rowKey={({ key }) => key}
          columns={[
            { key: "period", header: "時期", rowHeader: true, width: "10rem", cell: ({ newest }) => formatPeriod(newest) },
            { key: "value", header: "値", width: "12rem", cell: ({ newest }) => <Value observation={newest} kpi={kpi} /> },
            { key: "quality", header: "度合い", width: "7rem", cell: ({ newest }) => QUALITIES[newest.quality] },
            { key: "source", header: "出典・備考", width: "12rem", cell: ({ newest }) => <Remarks observation={newest} /> },
            { key: "revisions", header: "記録と改訂", width: "20rem", cell: (row) => <Revisions row={row} kpi={kpi} /> },
            ...(onCorrect
              ? [
                  {
                    key: "actions",
                    header: "操作",
                    screenOnly: true,
                    width: "6rem",
                    cell: ({ newest }: Recorded) => (
                      <Button variant="secondary" size="sm" aria-label={`${formatPeriod(newest)}の値を訂正`} onClick={() => onCorrect(newest)}>
                        訂正
                      </Button>
                    ),
                  },
                ]
              : []),
          ]}
        />
      )}
    </section>
  );
}

function Value({ observation, kpi }: { observation: Observation; kpi: KpiDetail }) {
  const { printed, series_break: broken } = observation;
  return (
    <>
      <span className="whitespace-pre-wrap font-bold">{formatValue(observation, kpi)}</span>
      {printed && <span className="block text-sm">原文：{printed}</span>}
      {broken && <span className="block text-sm">≠ 前の値と比較できません</span>}
    </>
  );
}

function Remarks({ observation: { source, note } }: { observation: Observation }) {
  return (
    <>
      {source}
      {note && <span className="block whitespace-pre-wrap">{note}</span>}
    </>
  );
}

/** Who recorded it; and every correction: from what to what, when, by whom and why. */
function Revisions({ row: { newest, revisions }, kpi }: { row: Recorded; kpi: KpiDetail }) {
  const who = ({ recorded_by: by, created_at: at }: Observation) => `${by ?? "記録者不明"}　${formatInstant(at)}`;
  if (revisions.length === 1) return <span className="text-sm">{who(newest)}</span>;
  return (
    <>
      <span className="text-sm">
        第{newest.revision}版　{who(newest)}
      </span>
      <details className="mt-1">
        <summary className="link">改訂の記録（{revisions.length - 1}回の訂正）</summary>
        <ol className="mt-2 grid gap-2 text-sm">
          {revisions.map((revision, index) => {
            const before = revisions[index + 1];
            return (
              <li key={revision.id} className="border-s-4 border-solid-gray-300 ps-2">
                第{revision.revision}版　{who(revision)}
                <span className="block">
                  {before ? `${formatValue(before, kpi)}（${QUALITIES[before.quality]}） → ` : "最初の値："}
                  <strong>{formatValue(revision, kpi)}</strong>（{QUALITIES[revision.quality]}）
                </span>
                {before && <span className="block whitespace-pre-wrap">理由：{revision.reason ?? "（記入なし）"}</span>}
              </li>
            );
          })}
        </ol>
      </details>
    </>
  );
}
