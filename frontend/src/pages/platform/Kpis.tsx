import { Link } from "@tanstack/react-router";
import { client, useEveryPage, type components } from "../../api";
import { fiscalYearLabel, fiscalYearShort } from "../../lib/date";
import { EmptyState, QueryView, Table } from "../../ui";
import { StandingMark } from "../kpi/StandingMark";
import { useYear } from "../kpi/useYear";
import { formatPeriod, formatTarget, formatValue } from "../kpi/words";

type Row = components["schemas"]["KpiStanding"];

/** The KPIs of a platform or a project with value, target and standing of one fiscal year. */
export function Kpis({ query, year, what }: { query: { platform_id?: string; project_id?: string }; year: number; what: string }) {
  const kpis = useEveryPage(["kpis", "all", query], (after) =>
    client.GET("/api/v1/kpis", { params: { query: { ...query, after, limit: 200 } } }).then(({ data }) => data ?? { items: [] }),
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
            KPIの一覧から、指標の定義書を作成できます。
          </EmptyState>
        ) : (
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
              { key: "value", header: `${fiscalYearShort(year)}の値`, width: "12rem", cell: (kpi) => <Value kpi={kpi} year={year} /> },
              { key: "target", header: `${fiscalYearShort(year)}の目標`, width: "12rem", cell: (kpi) => <Target kpi={kpi} year={year} /> },
              { key: "standing", header: "達成", width: "10rem", cell: (kpi) => <Mark kpi={kpi} year={year} /> },
              { key: "responsible", header: "担当", cell: ({ responsible }) => responsible },
            ]}
          />
        )
      }
    </QueryView>
  );
}

interface CellProps {
  kpi: Row;
  year: number;
}

function Value({ kpi, year }: CellProps) {
  const { value, failed } = useYear({ kpi, current: kpi.current }, year);
  if (failed) return "読み込めませんでした";
  if (!value) return <span className="text-solid-gray-700">未入力</span>;
  return (
    <>
      {formatValue(value, kpi)}
      {value.period_kind !== "fiscal_year" && <span className="block text-sm text-solid-gray-700">{formatPeriod(value)}</span>}
    </>
  );
}

function Target({ kpi, year }: CellProps) {
  const { target } = useYear({ kpi, current: kpi.current }, year);
  return target ? formatTarget(target, kpi) : <span className="text-solid-gray-700">未設定</span>;
}

function Mark({ kpi, year }: CellProps) {
  const { standing } = useYear({ kpi, current: kpi.current }, year);
  return standing ? <StandingMark standing={standing} /> : null;
}
