import { useQueries } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { $api, client, findMunicipalities, isApiError, may, useEveryPage, useIdentity } from "../../api";
import { currentFiscalYear, fiscalYear, fiscalYearLabel, todayInJapan, wafuFiscalYear } from "../../lib/date";
import { compareDecimals, formatDecimal } from "../../lib/decimal";
import { pastMoment } from "../../lib/past";
import { formatPeriod as formatLoosePeriod } from "../../lib/period";
import { Button, buttonClass, EmptyState, ErrorState, Loading, NoPermissionState, Notice, HistoryLink, PageHeader, QueryView, Select, StatusBadge, useFiscalYear, useSearchParam } from "../../ui";
import { LineChart } from "../../ui/LineChart";
import { Definition } from "./Definition";
import { StatusActions } from "../platform/StatusActions";
import { Placements } from "./Placements";
import { SeriesForm } from "./SeriesForm";
import { StandingMark } from "./StandingMark";
import { Targets } from "./Targets";
import { ValueForm } from "./ValueForm";
import { Values } from "./Values";
import {
  byPeriod,
  formatChange,
  formatPeriod,
  formatTarget,
  formatValue,
  MISSING,
  numberOf,
  QUALITIES,
  shortPeriod,
  sourcesDiffer,
  standingInYear,
  targetInForce,
  valueOfYear,
  type KpiDetail,
  type Observation,
  type Series,
  type Target,
} from "./words";

const WHOLE = "全体";
const OF_THE_WHOLE = "全体に対して定めるものです。系列を「全体」にすると表示します。";

const route = getRouteApi("/kpis/$kpiId");

export default function KpiPage() {
  const { kpiId } = route.useParams();
  const query = $api.useQuery("get", "/api/v1/kpis/{kpi_id}", { params: { path: { kpi_id: kpiId } } });
  const breadcrumbs = [{ label: "ホーム", href: "/" }, { label: "KPI", href: "/kpis" }];
  if (query.data) return <Page key={kpiId} kpi={query.data} breadcrumbs={breadcrumbs} />;
  return (
    <>
      <PageHeader title="KPI" breadcrumbs={[...breadcrumbs, { label: "KPI" }]} past />
      {query.isPending ? (
        <Loading label="KPIを読み込んでいます" />
      ) : isApiError(query.error) && query.error.status === 404 ? (
        <EmptyState
          title="KPIが見つかりません"
          actions={
            <Link className={buttonClass("secondary")} to="/kpis">
              KPIの一覧へ
            </Link>
          }
        >
          {pastMoment() ? "この時点ではまだ作成されていないか、閲覧できる範囲の外にあります。" : "削除されたか、閲覧できる範囲の外にあります。"}
        </EmptyState>
      ) : isApiError(query.error) && query.error.status === 403 ? (
        <NoPermissionState what="このKPI" />
      ) : (
        <ErrorState error={query.error} onRetry={() => void query.refetch()} />
      )}
    </>
  );
}

function Page({ kpi, breadcrumbs }: { kpi: KpiDetail; breadcrumbs: { label: string; href?: string }[] }) {
  const identity = useIdentity();
  const year = useFiscalYear();
  const [chosen, setChosen] = useSearchParam("series");
  const seriesId = chosen ?? kpi.id;
  const [entering, setEntering] = useState<{ corrected?: Observation }>();
  const [adding, setAdding] = useState(false);

  const series = useEveryPage(["kpi-series", kpi.id], (after) =>
    client.GET("/api/v1/kpi-series", { params: { query: { limit: 200, kpi_id: kpi.id, after } } }).then(({ data }) => data ?? { items: [] }),
  );
  const observations = useEveryPage(["kpi-values", kpi.id, seriesId], (after) =>
    client
      .GET("/api/v1/kpi-observations", { params: { query: { limit: 200, kpi_id: kpi.id, series_id: seriesId, after } } })
      .then(({ data }) => data ?? { items: [] }),
  );
  const targets = useEveryPage(["kpi-targets", kpi.id], (after) =>
    client.GET("/api/v1/kpi-targets", { params: { query: { limit: 200, kpi_id: kpi.id, after } } }).then(({ data }) => data ?? { items: [] }),
  );
  const owner = $api.useQuery("get", "/api/v1/organizations/{organization_id}", { params: { path: { organization_id: kpi.owner_org_id } } });
  const names = useSeriesNames(series.data ?? []);
  const seriesName = names.get(seriesId) ?? WHOLE;

  const own = may(identity, "kpis", "update", kpi);
  const line = series.data?.find(({ id }) => id === seriesId);
  const recorder = may(identity, "kpi_observations", "create", { owner_org_id: kpi.owner_org_id, slotOf: line?.organization_id });
  return (
    <>
      <PageHeader
        title={kpi.name}
        breadcrumbs={[...breadcrumbs, { label: kpi.name }]}
        meta={
          <>
            {kpi.code && <span>{kpi.code}</span>}
            <StatusBadge status={kpi.status} />
          </>
        }
        lead={owner.data?.name}
        printable
        past
        actions={
          <>
            {recorder && <Button onClick={() => setEntering({})}>値を入力</Button>}
            <StatusActions
              resource="kpis"
              record={kpi}
              what={kpi.name}
              send={(status, header) => client.POST("/api/v1/kpis/{kpi_id}/transition", { params: { path: { kpi_id: kpi.id }, header }, body: { status } })}
            />
            <Download kpi={kpi} />
            <HistoryLink entity="kpis" id={kpi.id} />
          </>
        }
      />
      {!pastMoment() && !own && !recorder && <p className="text-solid-gray-700">閲覧のみ：値と定義を編集できるのは、{owner.data?.name ?? "このKPIを持つ団体"}の編集者です。</p>}
      <QueryView query={observations} what="値">
        {(values) => (
          <>
            <Summary kpi={kpi} observations={values} targets={seriesId === kpi.id ? (targets.data ?? []) : []} year={year} seriesName={seriesName} />
            <section className="mt-6">
              <div className="mb-3 flex flex-wrap items-center justify-between gap-4">
                <h2>推移</h2>
                <div className="no-print flex flex-wrap items-end gap-3">
                  <Select
                    label={<span className="sr-only">系列</span>}
                    size="sm"
                    className="w-80"
                    value={seriesId}
                    onChange={(value) => setChosen(value === kpi.id ? undefined : value)}
                    options={[{ value: kpi.id, label: WHOLE }, ...[...names].filter(([id]) => id !== kpi.id).map(([value, label]) => ({ value, label }))]}
                  />
                  {may(identity, "kpi_series", "create", kpi) && (
                    <Button variant="secondary" size="sm" onClick={() => setAdding(true)}>
                      系列を追加
                    </Button>
                  )}
                </div>
              </div>
              <Chart kpi={kpi} observations={values} targets={seriesId === kpi.id ? (targets.data ?? []) : []} year={year} seriesName={seriesName} />
            </section>
            <Values kpi={kpi} observations={values} year={year} seriesName={seriesName} onCorrect={recorder ? (corrected) => setEntering({ corrected }) : undefined} />
            {entering && (
              <ValueForm kpi={kpi} seriesId={seriesId} seriesName={seriesName} observations={values} year={year} corrected={entering.corrected} onClose={() => setEntering(undefined)} />
            )}
          </>
        )}
      </QueryView>
      <Targets kpi={kpi} query={targets} year={year} />
      <Definition kpi={kpi} />
      <Placements kpi={kpi} />
      {adding && <SeriesForm kpi={kpi} series={series.data ?? []} onClose={() => setAdding(false)} onSaved={setChosen} />}
    </>
  );
}

/** Names of the lines: municipality, district, organisation, values of dimensions; the whole first. */
function useSeriesNames(series: readonly Series[]): Map<string, string> {
  const codes = [...new Set(series.flatMap(({ municipality_code: code }) => code ?? []))];
  const ids = [...new Set(series.flatMap(({ organization_id: id }) => id ?? []))];
  const municipalities = useQueries({
    queries: codes.map((code) => ({
      queryKey: ["municipality", code],
      staleTime: Infinity,
      queryFn: async () => (await findMunicipalities(code)).find(({ value }) => value === code)?.label ?? null,
    })),
  });
  const organizations = useQueries({
    queries: ids.map((id) => ({
      queryKey: ["organization", id],
      retry: false,
      queryFn: async () => (await client.GET("/api/v1/organizations/{organization_id}", { params: { path: { organization_id: id } } })).data ?? null,
    })),
  });
  return new Map(
    series.map(({ id, kpi_id: kpi, municipality_code: code, district, organization_id: organization, dimensions }) => {
      const parts = [
        code && (municipalities[codes.indexOf(code)]?.data ?? code),
        district,
        organization && (organizations[ids.indexOf(organization)]?.data?.name ?? "閲覧できない団体"),
        ...Object.entries(dimensions ?? {}).map(([name, value]) => `${name}：${value}`),
      ];
      return [id, id === kpi ? WHOLE : parts.filter(Boolean).join("　")];
    }),
  );
}

interface FactProps {
  kpi: KpiDetail;
  observations: readonly Observation[];
  targets: readonly Target[];
  year: number;
  seriesName: string;
}

/** Where it stands in the chosen year: value, target, reached or not, and the way since the baseline. */
function Summary({ kpi, observations, targets, year, seriesName }: FactProps) {
  const value = valueOfYear(observations, year, kpi);
  const target = targetInForce(targets, year);
  const newest = byPeriod(observations).at(-1)?.newest;
  // Target and baseline are those of the whole: beside the value of one area or organisation they would mislead.
  const whole = seriesName === WHOLE;
  const { baseline } = kpi;
  const number = value && numberOf(value, kpi);
  const baselineText = baseline ? (baseline.value ? `${formatDecimal(baseline.value)}${kpi.unit ?? ""}` : (baseline.text ?? baseline.printed)) : null;
  return (
    <section className="mt-4" aria-label="現在の状況">
      <dl className="grid gap-4 md:grid-cols-3">
        <Fact term={`${wafuFiscalYear(year)}の値（${seriesName}）`}>
          {value ? (
            <>
              <strong className="text-2xl">{formatValue(value, kpi)}</strong>
              <span className="block text-sm">
                {formatPeriod(value)}
                {value.derived && `の${value.derived}`}　{QUALITIES[value.quality]}
                {!value.derived && value.source && `　出典：${value.source}`}
              </span>
            </>
          ) : (
            <>
              <strong className="text-xl">未入力</strong>
              {newest && (
                <span className="block text-sm">
                  最も新しい値：{formatPeriod(newest)} {formatValue(newest, kpi)}
                </span>
              )}
            </>
          )}
        </Fact>
        <Fact term={`${wafuFiscalYear(year)}の目標`}>
          {whole ? (
            <>
              <strong className="text-2xl">{target ? formatTarget(target, kpi) : "未設定"}</strong>
              <span className="mt-1 block">
                <StandingMark standing={standingInYear(value, target, kpi, year, todayInJapan())} />
              </span>
            </>
          ) : (
            OF_THE_WHOLE
          )}
        </Fact>
        <Fact term="基準値">
          {!whole ? (
            OF_THE_WHOLE
          ) : baselineText ? (
            <>
              <strong className="text-2xl">{baselineText}</strong>
              <span className="block text-sm">
                {baseline?.period && formatLoosePeriod(baseline.period)}
                {baseline?.source && `　出典：${baseline.source}`}
              </span>
              {baseline?.value && number && (
                <span className="block">
                  基準値からの変化：<strong>{formatChange(baseline.value, number, kpi)}</strong>
                </span>
              )}
            </>
          ) : (
            <strong className="text-xl">未設定</strong>
          )}
        </Fact>
      </dl>
      {whole && baselineText && !value?.derived && sourcesDiffer(kpi, value) && (
        <div className="mt-4">
          <Notice tone="warning" title="比較に注意">
            基準値は「{baseline?.source}」、{wafuFiscalYear(year)}の値は「{value?.source}」によるものです。別の調査の値のため、差をそのまま変化とみなすことはできません。
          </Notice>
        </div>
      )}
    </section>
  );
}

function Fact({ term, children }: { term: string; children: React.ReactNode }) {
  return (
    <div className="keep-together rounded-12 border border-solid-gray-420 px-4 py-3">
      <dt className="font-bold text-solid-gray-800">{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Years stand side by side; months, quarters and days are those of the chosen year. */
function Chart({ kpi, observations, targets, year, seriesName }: FactProps) {
  const all = byPeriod(observations).map(({ newest }) => newest);
  const yearly = all.filter(({ period_kind: kind }) => kind === "fiscal_year");
  const parts = all.filter(({ period_kind: kind, period_start: start }) => kind !== "fiscal_year" && fiscalYear(start) === year);
  const shown = kpi.frequency === "fiscal_year" || parts.length === 0 ? yearly : parts;
  const byYear = shown === yearly;
  if (kpi.value_type === "state" || kpi.value_type === "text") return <p>数値ではないため、グラフはありません。下の「値の記録」をご覧ください。</p>;
  if (shown.length === 0 && targets.length === 0 && !kpi.baseline?.value) {
    return <EmptyState title="グラフにする値がまだありません">値を入力すると、推移がここに表示されます。</EmptyState>;
  }

  const inForce = [...new Set(targets.map((target) => target.fiscal_year))].flatMap((each) => targetInForce(targets, each) ?? []);
  const numeric = byYear ? inForce.flatMap((target) => (target.value ? [{ period: shortPeriod(asYear(target.fiscal_year)), value: target.value, start: asYear(target.fiscal_year).period_start }] : [])) : [];
  const baseline =
    byYear && seriesName === WHOLE && kpi.baseline?.value && kpi.baseline.period?.start
      ? { ...asYear(fiscalYear(kpi.baseline.period.start)), value: kpi.baseline.value, source: kpi.baseline.source ?? undefined }
      : undefined;
  // Every period that has a value, a target or the baseline, in the order of time.
  const periods = new Map<string, string>();
  for (const each of shown) periods.set(shortPeriod(each), each.period_start);
  for (const { period, start } of numeric) periods.set(period, start);
  if (baseline) periods.set(shortPeriod(baseline), baseline.period_start);
  const ordered = [...periods].sort(([, a], [, b]) => a.localeCompare(b)).map(([label]) => label);

  return (
    <LineChart
      title={`${kpi.name}（${seriesName}${byYear ? "" : `、${fiscalYearLabel(year)}`}）`}
      unit={kpi.unit ?? "単位なし"}
      periods={ordered}
      from={lowest(shown, kpi)}
      series={[
        {
          name: seriesName === WHOLE ? "実績値" : seriesName,
          points: shown.map((each) => ({
            period: shortPeriod(each),
            value: numberOf(each, kpi),
            printed: formatValue(each, kpi).replace(kpi.unit ?? "\0", ""),
            missing: each.missing_reason ? MISSING[each.missing_reason] : each.low ? `${formatValue(each, kpi)}（幅のある値）` : undefined,
            breakReason: each.series_break ? (each.note ?? "系列の断絶") : undefined,
            provisional: each.quality !== "final",
          })),
        },
      ]}
      targets={numeric}
      baseline={baseline && { period: shortPeriod(baseline), value: baseline.value, source: baseline.source }}
    />
  );
}

const asYear = (year: number) => ({ period_kind: "fiscal_year" as const, period_start: `${year}-04-01`, period_end: `${year + 1}-03-31` });

/** The axis begins at 0, or below where values do. */
function lowest(observations: readonly Observation[], kpi: KpiDetail): number {
  const numbers = observations.flatMap((each) => numberOf(each, kpi) ?? []);
  const least = numbers.sort(compareDecimals)[0];
  return least && compareDecimals(least, "0") < 0 ? Number(least) : 0;
}

/** The values as a file, with the token of the session: a plain link would carry none. */
function Download({ kpi }: { kpi: KpiDetail }) {
  const [state, setState] = useState<{ busy: boolean; error?: string }>({ busy: false });
  const save = async () => {
    setState({ busy: true });
    try {
      const { data } = await client.GET("/api/v1/kpis/{kpi_id}/observations", {
        params: { path: { kpi_id: kpi.id }, query: { format: "csv" } },
        parseAs: "text",
      });
      // The mark at the beginning lets Excel read the file as UTF-8.
      const url = URL.createObjectURL(new Blob(["\uFEFF", String(data)], { type: "text/csv;charset=utf-8" }));
      const link = document.createElement("a");
      link.href = url;
      link.download = `${kpi.name.replace(/[\\/:*?"<>|]/g, "_")}_${currentFiscalYear()}年度時点.csv`;
      link.click();
      URL.revokeObjectURL(url);
      setState({ busy: false });
    } catch (error) {
      if (!isApiError(error)) throw error;
      setState({ busy: false, error: error.message });
    }
  };
  return (
    <>
      <Button variant="secondary" size="sm" busy={state.busy} onClick={() => void save()}>
        CSVで保存
      </Button>
      {state.error && (
        <Notice tone="error" live title="CSVを保存できませんでした">
          {state.error}
        </Notice>
      )}
    </>
  );
}
