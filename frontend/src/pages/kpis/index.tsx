import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { $api, client, may, useIdentity, usePages, type components } from "../../api";
import { fiscalYearLabel, fiscalYearShort } from "../../lib/date";
import { Button, EmptyState, LoadMore, PageHeader, QueryView, Select, StatusBadge, Table, TextField, useFiscalYear, useSearchParam } from "../../ui";
import { DefinitionForm } from "../kpi/DefinitionForm";
import { StandingMark } from "../kpi/StandingMark";
import { useYears, type InYear } from "../kpi/useYear";
import { formatPeriod, formatTarget, formatValue } from "../kpi/words";

type Row = components["schemas"]["KpiStanding"];
type Status = components["schemas"]["Status"];

const STATUSES: { value: Status | ""; label: string }[] = [
  { value: "", label: "すべて" },
  { value: "draft", label: "作成中" },
  { value: "submitted", label: "提出済" },
  { value: "returned", label: "差戻し" },
  { value: "confirmed", label: "確定" },
  { value: "published", label: "公表" },
];

export default function KpisPage() {
  const identity = useIdentity();
  const navigate = useNavigate();
  const year = useFiscalYear();
  const [search] = useSearchParam("q");
  const [platform, setPlatform] = useSearchParam("platform");
  const [status, setStatus] = useSearchParam("status");
  const [owner, setOwner] = useSearchParam("owner");
  const [creating, setCreating] = useState(false);
  // Whoever keeps KPIs works on the own ones; an analyst or an adviser has none and looks at those of others.
  const creator = may(identity, "kpis", "create");
  const scope = owner ?? (creator ? "own" : "all");
  const ownerId = scope === "own" ? (identity?.organization_id ?? undefined) : undefined;

  const platforms = $api.useQuery("get", "/api/v1/platforms", { params: { query: { limit: 200 } } });
  const query = { owner_org_id: ownerId, platform_id: platform, status: status as Status | undefined, search, fiscal_year: year, limit: 50 };
  const kpis = usePages(["kpis", query], (after) =>
    client.GET("/api/v1/kpis", { params: { query: { ...query, after } } }).then(({ data }) => data ?? { items: [] }),
  );
  const filtered = Boolean(search || platform || status);

  return (
    <>
      <PageHeader
        title="KPI"
        breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "KPI" }]}
        lead={`${fiscalYearLabel(year)}の値と目標です。`}
        printable
        past
        actions={creator && <Button onClick={() => setCreating(true)}>KPIを作成</Button>}
      />
      <div className="no-print mb-4 flex flex-wrap items-end gap-x-4 gap-y-2">
        <Search key={search} />
        <Select
          label="プラットフォーム"
          size="sm"
          className="w-72"
          value={platform ?? ""}
          onChange={(value) => setPlatform(value || undefined)}
          options={[{ value: "", label: "すべて" }, ...(platforms.data?.items.map(({ id, name }) => ({ value: id, label: name })) ?? [])]}
        />
        <Select label="状態" size="sm" className="w-36" value={status ?? ""} onChange={(value) => setStatus(value || undefined)} options={STATUSES} />
        <Select
          label="範囲"
          size="sm"
          className="w-64"
          value={scope}
          onChange={setOwner}
          options={[
            { value: "own", label: "自分の組織のKPI" },
            { value: "all", label: "閲覧できるすべてのKPI" },
          ]}
        />
      </div>
      <QueryView query={kpis} what="KPIの一覧">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState
              title={filtered ? "条件に合うKPIはありません" : creator ? "KPIがまだありません" : "閲覧できるKPIはまだありません"}
              actions={
                filtered ? (
                  <Button variant="secondary" onClick={() => void navigate({ to: ".", search: { fy: year, owner } })}>
                    検索条件を消す
                  </Button>
                ) : (
                  creator && <Button onClick={() => setCreating(true)}>KPIを作成</Button>
                )
              }
            >
              {filtered
                ? "検索する言葉を短くするか、条件を外してください。"
                : !creator
                  ? "各団体がKPIを公表するか共有すると、ここに並びます。"
                  : "指標の名前、単位、基準値を定義書に記入すると、値と目標を記録できます。"}
            </EmptyState>
          ) : (
            <>
              <KpiTable rows={rows} year={year} showOwner={scope === "all"} />
              <LoadMore {...kpis.more} />
            </>
          )
        }
      </QueryView>
      {creating && (
        <DefinitionForm
          onClose={() => setCreating(false)}
          onSaved={(id) => void navigate({ to: "/kpis/$kpiId", params: { kpiId: id } })}
        />
      )}
    </>
  );
}

function Search() {
  const [search, setSearch] = useSearchParam("q");
  const [typed, setTyped] = useState(search ?? "");
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setSearch(typed.trim() || undefined);
  };
  return (
    <form role="search" className="flex items-end gap-2" onSubmit={submit}>
      <TextField label={<>KPIを探す<span className="ms-2 text-sm font-normal text-solid-gray-700">名前、番号、定義の一部</span></>} type="search" size="sm" className="w-96" value={typed} onChange={setTyped} />
      <Button type="submit" variant="secondary" size="sm">
        検索
      </Button>
    </form>
  );
}

function KpiTable({ rows, year, showOwner }: { rows: readonly Row[]; year: number; showOwner: boolean }) {
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
          width: "20rem",
          cell: (kpi) => (
            <>
              {kpi.code && <span className="me-2 text-sm">{kpi.code}</span>}
              <Link className="link" to="/kpis/$kpiId" params={{ kpiId: kpi.id }}>
                {kpi.name}
              </Link>
              {showOwner && <Owner id={kpi.owner_org_id} />}
            </>
          ),
        },
        { key: "value", header: `${fiscalYearShort(year)}の値`, width: "11rem", cell: (kpi) => <ValueCell kpi={kpi} inYear={inYear(kpi)} /> },
        { key: "target", header: `${fiscalYearShort(year)}の目標`, width: "11rem", cell: (kpi) => (kpi.of_year?.target ? formatTarget(kpi.of_year.target, kpi) : <span className="text-solid-gray-700">未設定</span>) },
        { key: "standing", header: "達成", width: "9.5rem", cell: (kpi) => <StandingMark standing={inYear(kpi).standing} /> },
        { key: "responsible", header: "担当", width: "9rem", cell: (kpi) => kpi.responsible },
        { key: "status", header: "状態", width: "7rem", cell: (kpi) => <StatusBadge status={kpi.status} /> },
      ]}
    />
  );
}

function Owner({ id }: { id: string }) {
  const { data } = $api.useQuery("get", "/api/v1/organizations/{organization_id}", { params: { path: { organization_id: id } } });
  return <span className="block text-sm font-normal">{data?.name}</span>;
}

function ValueCell({ kpi, inYear: { value, failed, standing } }: { kpi: Row; inYear: InYear }) {
  if (failed) return "読み込めませんでした";
  if (!standing) return null;
  if (!value) return <span className="text-solid-gray-700">未入力</span>;
  return (
    <>
      {formatValue(value, kpi)}
      <span className="block text-sm text-solid-gray-700">
        {value.period_kind !== "fiscal_year" && formatPeriod(value)}
        {value.derived && `の${value.derived}`}
        {!value.missing_reason && value.quality !== "final" && (value.quality === "provisional" ? "（速報・概数）" : "（推計）")}
      </span>
    </>
  );
}
