import { Link } from "@tanstack/react-router";
import { client, useEveryPage } from "../../api";
import { fiscalYearLabel, fiscalYearShort } from "../../lib/date";
import { EmptyState, QueryView, Table } from "../../ui";
import { StandingMark } from "../kpi/StandingMark";
import { useYears, type InYear, type KpiRow } from "../kpi/useYear";
import { formatPeriod, formatTarget, formatValue } from "../kpi/words";

/** The KPIs of a platform or a project with value, target and standing of one fiscal year. */
export function Kpis({ query, year, what }: { query: { platform_id?: string; project_id?: string }; year: number; what: string }) {
  const kpis = useEveryPage(["kpis", "all", query, year], (after) =>
    client.GET("/api/v1/kpis", { params: { query: { ...query, fiscal_year: year, after, limit: 200 } } }).then(({ data }) => data ?? { items: [] }),
  );
  return (
    <QueryView query={kpis} what="KPI">
      {(rows) =>
        rows.length === 0 ? (
          <EmptyState
            title={`${what}のKPIはまだありません`}
            actions={
              <Link className="link" to="/kpis">
                KPIの一覧へ
              </Link>
            }
          >
            KPIのページの「掲載場所」で、ここに並べるKPIを選べます。
          </EmptyState>
        ) : (
          <KpiTable rows={rows} year={year} />
        )
      }
    </QueryView>
  );
}

function KpiTable({ rows, year }: { rows: readonly KpiRow[]; year: number }) {
  const inYear = useYears(rows, year);
  return (
    <Table
      caption={`${fiscalYearLabel(year)}のKPIの値と目標`}
      captionHidden
      rows={rows}
      rowKey={({ id }) => id}
      columns={[
        {
          key: "name",
          header: "KPI",
          rowHeader: true,
          width: "22rem",
          cell: (kpi) => (
            <>
              {kpi.code && <span className="me-2 text-sm">{kpi.code}</span>}
              <Link className="link" to="/kpis/$kpiId" params={{ kpiId: kpi.id }}>
                {kpi.name}
              </Link>
            </>
          ),
        },
        { key: "value", header: `${fiscalYearShort(year)}の値`, width: "12rem", cell: (kpi) => <Value kpi={kpi} inYear={inYear(kpi)} /> },
        { key: "target", header: `${fiscalYearShort(year)}の目標`, width: "12rem", cell: (kpi) => (kpi.of_year?.target ? formatTarget(kpi.of_year.target, kpi) : <span className="text-solid-gray-700">未設定</span>) },
        { key: "standing", header: "達成", width: "10rem", cell: (kpi) => <StandingMark standing={inYear(kpi).standing} /> },
        { key: "responsible", header: "担当", width: "10rem", cell: ({ responsible }) => responsible },
      ]}
    />
  );
}

function Value({ kpi, inYear: { value, failed, standing } }: { kpi: KpiRow; inYear: InYear }) {
  if (failed) return "読み込めませんでした";
  if (!standing) return null;
  if (!value) return <span className="text-solid-gray-700">未入力</span>;
  return (
    <>
      {formatValue(value, kpi)}
      {value.period_kind !== "fiscal_year" && <span className="block text-sm text-solid-gray-700">{formatPeriod(value)}</span>}
    </>
  );
}
