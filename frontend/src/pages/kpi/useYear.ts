import { useQueries } from "@tanstack/react-query";
import { client, everyPage, type components } from "../../api";
import { todayInJapan } from "../../lib/date";
import { standingInYear, valueOfYear, type Kpi, type Standing, type Target, type YearValue } from "./words";

export type KpiRow = components["schemas"]["KpiStanding"];

export interface InYear {
  value?: YearValue;
  target?: Target;
  /** Absent while it is not known. */
  standing?: Standing;
  failed: boolean;
}

/** The list brings one value of the year. Where that is a part (a month) the rule of the KPI needs the other parts too. */
const needsParts = ({ time_rule: rule, value_type: type, of_year: of }: KpiRow) =>
  Boolean(of?.observation) && of?.observation?.period_kind !== "fiscal_year" && rule !== "last" && rule !== "cumulative" && type !== "state" && type !== "text";

const partsOf = (kpi: Kpi, year: number) => ({
  queryKey: ["kpi-values", kpi.id, kpi.id, year],
  queryFn: () =>
    everyPage((after) =>
      client
        .GET("/api/v1/kpi-observations", { params: { query: { kpi_id: kpi.id, series_id: kpi.id, fiscal_year: year, current: true, limit: 200, after } } })
        .then(({ data }) => data ?? { items: [] }),
    ),
});

/** Value, target and standing of the whole in one fiscal year, by KPI; of rows that were listed with `fiscal_year`. */
export function useYears(rows: readonly KpiRow[], year: number): (kpi: KpiRow) => InYear {
  const asked = rows.filter(needsParts);
  const parts = useQueries({ queries: asked.map((kpi) => partsOf(kpi, year)) });
  return (kpi) => {
    const answer = parts[asked.indexOf(kpi)];
    if (answer?.isPending) return { failed: false };
    if (answer?.error) return { failed: true };
    const listed = kpi.of_year?.observation;
    const value = valueOfYear(answer?.data ?? (listed ? [listed] : []), year, kpi);
    const target = kpi.of_year?.target ?? undefined;
    return { value, target, standing: standingInYear(value, target, kpi, year, todayInJapan()), failed: false };
  };
}
