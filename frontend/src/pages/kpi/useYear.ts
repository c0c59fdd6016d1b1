import { client, useEveryPage } from "../../api";
import { fiscalYear } from "../../lib/date";
import { standingOf, targetInForce, valueOfYear, type Kpi, type Standing } from "./words";
import type { components } from "../../api";

/**
 * Value and target of the whole in one fiscal year. The list carries the newest value only, so a year is asked for
 * where there is something to ask for.
 */
export function useYear({ kpi, current }: { kpi: Kpi; current: components["schemas"]["KpiCurrent"] | null }, year: number) {
  const hasValue = Boolean(current?.period_start && fiscalYear(current.period_start) >= year);
  const hasTarget = current !== null && String(year) in current.targets;
  const values = useEveryPage(
    ["kpi-values", kpi.id, kpi.id, year],
    (after) =>
      client
        .GET("/api/v1/kpi-observations", {
          params: { query: { kpi_id: kpi.id, series_id: kpi.id, fiscal_year: year, current: true, limit: 200, after } },
        })
        .then(({ data }) => data ?? { items: [] }),
    hasValue,
  );
  const targets = useEveryPage(
    ["kpi-targets", kpi.id, year],
    (after) =>
      client
        .GET("/api/v1/kpi-targets", { params: { query: { kpi_id: kpi.id, fiscal_year: year, limit: 200, after } } })
        .then(({ data }) => data ?? { items: [] }),
    hasTarget,
  );
  const value = valueOfYear(values.data ?? [], year, kpi);
  const target = targetInForce(targets.data ?? [], year);
  const loading = (hasValue && values.isPending) || (hasTarget && targets.isPending);
  const standing: Standing | undefined = loading || values.error || targets.error ? undefined : standingOf(value, target, kpi);
  return { value, target, standing, failed: Boolean(values.error ?? targets.error) };
}
