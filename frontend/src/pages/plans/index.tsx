import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { client, may, useIdentity, usePages, type components } from "../../api";
import { fiscalYearLabel, fiscalYearShort, wafuFiscalYear } from "../../lib/date";
import { Button, EmptyState, LoadMore, PageHeader, QueryView, Select, StatusBadge, Table, TextField, useFiscalYear, useSearchParam } from "../../ui";
import { optionsOf } from "../kpi/words";
import { PLAN_KINDS } from "../plan/sheet";
import { MunicipalityNames } from "../platform/Municipalities";
import { STATUS_WORDS, type Status } from "../platform/words";
import { PlanForm } from "./PlanForm";

type Kind = components["schemas"]["PlanKind"];

const ALL = { value: "", label: "すべて" };

export default function PlansPage() {
  const identity = useIdentity();
  const navigate = useNavigate();
  const year = useFiscalYear();
  const [search] = useSearchParam("q");
  const [kind, setKind] = useSearchParam("kind");
  const [status, setStatus] = useSearchParam("status");
  const [period, setPeriod] = useSearchParam("period");
  const [creating, setCreating] = useState(false);
  const creator = may(identity, "plans", "create");
  const everyYear = period === "all";

  const query = { search, kind: kind as Kind | undefined, status: status as Status | undefined, fiscal_year: everyYear ? undefined : year, limit: 50 };
  const plans = usePages(["plans", query], (after) =>
    client.GET("/api/v1/plans", { params: { query: { ...query, after } } }).then(({ data }) => data ?? { items: [] }),
  );
  const filtered = Boolean(search || kind || status);
  const create = creator && <Button onClick={() => setCreating(true)}>計画を作成</Button>;

  return (
    <>
      <PageHeader
        title="計画・ロードマップ"
        breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "計画・ロードマップ" }]}
        lead="地域福祉計画など、目標ごとに年次の取り組みと実績を記録する計画の一覧です。"
        printable
        past
        actions={create}
      />
      <div className="no-print mb-4 flex flex-wrap items-end gap-x-4 gap-y-2">
        <Search key={search} />
        <Select label="種別" size="sm" className="w-64" value={kind ?? ""} onChange={(value) => setKind(value || undefined)} options={[ALL, ...optionsOf(PLAN_KINDS)]} />
        <Select label="状態" size="sm" className="w-36" value={status ?? ""} onChange={(value) => setStatus(value || undefined)} options={[ALL, ...optionsOf(STATUS_WORDS)]} />
        <Select
          label="計画期間"
          size="sm"
          className="w-64"
          value={everyYear ? "all" : ""}
          onChange={(value) => setPeriod(value || undefined)}
          options={[
            { value: "", label: `${wafuFiscalYear(year)}を含む計画` },
            { value: "all", label: "すべての計画期間" },
          ]}
        />
      </div>
      <QueryView query={plans} what="計画の一覧">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState
              title={filtered ? "条件に合う計画はありません" : everyYear ? "計画がまだありません" : `${fiscalYearLabel(year)}を含む計画はありません`}
              actions={
                <>
                  {filtered && (
                    <Button variant="secondary" onClick={() => void navigate({ to: ".", search: { fy: year } })}>
                      検索条件を消す
                    </Button>
                  )}
                  {!everyYear && (
                    <Button variant="secondary" onClick={() => setPeriod("all")}>
                      すべての計画期間を表示
                    </Button>
                  )}
                  {!filtered && create}
                </>
              }
            >
              {filtered
                ? "検索する言葉を短くするか、条件を外してください。"
                : everyYear
                  ? "所属する組織が計画に加わるか、計画が公表されると、ここに表示されます。"
                  : "年度を切り替えるか、すべての計画期間を表示してください。"}
            </EmptyState>
          ) : (
            <>
              <Table
                caption="計画の一覧"
                captionHidden
                rows={rows}
                rowKey={({ id }) => id}
                columns={[
                  {
                    key: "title",
                    header: "計画の名称",
                    rowHeader: true,
                    width: "22rem",
                    cell: ({ id, title, subtitle, edition }) => (
                      <>
                        <Link className="link" to="/plans/$planId" params={{ planId: id }}>
                          {title}
                          {subtitle && `　${subtitle}`}
                        </Link>
                        {edition && <span className="block text-sm font-normal">{edition}</span>}
                      </>
                    ),
                  },
                  { key: "kind", header: "種別", width: "14rem", cell: ({ kind: what }) => PLAN_KINDS[what] },
                  {
                    key: "period",
                    header: "計画期間",
                    width: "12rem",
                    cell: ({ first_fiscal_year: first, last_fiscal_year: last }) => `${fiscalYearShort(first)}～${fiscalYearShort(last)}年度（${first}～${last}）`,
                  },
                  { key: "municipality", header: "市区町村", width: "12rem", cell: ({ municipality_code: code }) => <MunicipalityNames codes={code ? [code] : []} /> },
                  { key: "status", header: "状態", width: "7rem", cell: ({ status: now }) => <StatusBadge status={now} /> },
                ]}
              />
              <LoadMore {...plans.more} />
            </>
          )
        }
      </QueryView>
      {creating && <PlanForm onClose={() => setCreating(false)} onCreated={(planId) => void navigate({ to: "/plans/$planId", params: { planId } })} />}
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
      <TextField label={<>計画を探す<span className="ms-2 text-sm font-normal text-solid-gray-700">名称、副題の一部</span></>} type="search" size="sm" className="w-96" value={typed} onChange={setTyped} />
      <Button type="submit" variant="secondary" size="sm">
        検索
      </Button>
    </form>
  );
}
