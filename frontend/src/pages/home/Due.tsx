import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { client, everyPage, useEveryPage, type components } from "../../api";
import { fiscalYearLabel, formatDate, todayInJapan } from "../../lib/date";
import { Button, QueryView, StatusBadge, Table } from "../../ui";
import { StandingMark } from "../kpi/StandingMark";
import { useYears, type KpiRow } from "../kpi/useYear";
import { formatTarget, formatValue } from "../kpi/words";
import { addDays, dueWords } from "./due";

type Schemas = components["schemas"];

interface GroupProps {
  title: string;
  /** Said instead of the list when there is nothing. */
  nothing: string;
  count: number;
  children: ReactNode;
}

export function Group({ title, nothing, count, children }: GroupProps) {
  return (
    <section className="keep-together">
      <h3 className="mb-2">
        {title}
        {count > 0 && <span className="ms-2 rounded-4 border-2 border-solid-gray-900 px-2 text-base">{count}件</span>}
      </h3>
      {count > 0 ? children : <p>✓ {nothing}</p>}
    </section>
  );
}

// ---------------------------------------------------------------------------------------------
// Sheets that came back

/** Sheets of the own organisation that were returned. */
export function Returned({ organizationId }: { organizationId: string }) {
  const query = { owner_org_id: organizationId, status: "returned" as const, limit: 50 };
  const sheets = useEveryPage(["home", "returned", organizationId], async () => {
    const [platforms, plans, projects, kpis] = await Promise.all([
      client.GET("/api/v1/platforms", { params: { query } }),
      client.GET("/api/v1/plans", { params: { query } }),
      client.GET("/api/v1/projects", { params: { query } }),
      client.GET("/api/v1/kpis", { params: { query } }),
    ]);
    return {
      items: [
        ...(platforms.data?.items.map(({ id, name }) => ({ id, name, kind: "プラットフォーム", to: `/platforms/${id}` })) ?? []),
        ...(plans.data?.items.map(({ id, title }) => ({ id, name: title, kind: "計画", to: `/plans/${id}` })) ?? []),
        ...(projects.data?.items.map(({ id, name }) => ({ id, name, kind: "事業", to: `/projects/${id}` })) ?? []),
        ...(kpis.data?.items.map(({ id, name }) => ({ id, name, kind: "KPI", to: `/kpis/${id}` })) ?? []),
      ],
    };
  });
  return (
    <QueryView query={sheets} what="差し戻された記録">
      {(rows) => rows.length > 0 && (
        <Group title="差し戻された記録" nothing="" count={rows.length}>
          <ul className="grid gap-1">
            {rows.map(({ id, name, kind, to }) => (
              <li key={id} className="flex flex-wrap items-center gap-x-3">
                <StatusBadge status="returned" />
                <span className="text-sm">{kind}</span>
                <Link to={to} className="link">
                  {name}
                </Link>
              </li>
            ))}
          </ul>
        </Group>
      )}
    </QueryView>
  );
}

// ---------------------------------------------------------------------------------------------
// Roadmap items

const SOON = 30;

/** Items of the own plans, or that the organisation entered in its column, late or due within thirty days. */
export function DueRoadmap({ organizationId }: { organizationId: string }) {
  const today = todayInJapan();
  const before = addDays(today, SOON + 1);
  const items = useEveryPage(["home", "roadmap", organizationId, before], async () => {
    const open = (progress: "not_started" | "ongoing") =>
      everyPage((after) =>
        client.GET("/api/v1/roadmap-items", { params: { query: { due_before: before, progress, after, limit: 200 } } }).then(({ data }) => data ?? { items: [] }),
      );
    const mine = [...(await open("not_started")), ...(await open("ongoing"))]
      .filter(({ kind, owner_org_id: owner, entered_by_org_id: by }) => kind !== "actual" && (owner === organizationId || by === organizationId))
      .sort((a, b) => (a.due_on ?? "").localeCompare(b.due_on ?? ""));
    const goals = new Map<string, Schemas["Goal"]>();
    for (const id of new Set(mine.map(({ goal_id: goal }) => goal))) {
      const { data } = await client.GET("/api/v1/goals/{goal_id}", { params: { path: { goal_id: id } } });
      if (data) goals.set(id, data);
    }
    return { items: mine.map((item) => ({ item, goal: goals.get(item.goal_id) })) };
  });
  return (
    <QueryView query={items} what="ロードマップの期限">
      {(rows) => (
        <Group title={`期限を過ぎたか、${SOON}日以内に期限が来る取り組み`} nothing={`${SOON}日以内に期限が来る取り組みはありません。`} count={rows.length}>
          <Table
            caption="期限が近い取り組み"
            captionHidden
            dense
            rows={rows}
            rowKey={({ item }) => item.id}
            columns={[
              { key: "due", header: "期限", width: "11rem", cell: ({ item }) => item.due_on && <Due date={item.due_on} today={today} /> },
              {
                key: "text",
                header: "取り組み",
                rowHeader: true,
                width: "20rem",
                cell: ({ item, goal }) =>
                  goal ? (
                    <Link to="/plans/$planId" params={{ planId: goal.plan_id }} search={{ fy: item.fiscal_year }} className="link">
                      {item.text}
                    </Link>
                  ) : (
                    item.text
                  ),
              },
              { key: "goal", header: "目標", width: "12rem", cell: ({ goal }) => goal && `${goal.number ?? ""} ${goal.title}`.trim() },
              { key: "responsible", header: "担当", width: "10rem", cell: ({ item }) => item.responsible },
            ]}
          />
        </Group>
      )}
    </QueryView>
  );
}

function Due({ date, today }: { date: string; today: string }) {
  return (
    <>
      <strong>{dueWords(date, today)}</strong>
      <span className="block">{formatDate(date)}</span>
    </>
  );
}

// ---------------------------------------------------------------------------------------------
// KPIs

/** KPIs of the own organisation without a value for the year, or below their target. */
export function DueKpis({ organizationId, year }: { organizationId: string; year: number }) {
  const kpis = useEveryPage(["home", "kpis", organizationId, year], (after) =>
    client.GET("/api/v1/kpis", { params: { query: { owner_org_id: organizationId, fiscal_year: year, after, limit: 200 } } }).then(({ data }) => data ?? { items: [] }),
  );
  return (
    <QueryView query={kpis} what="KPI">
      {(rows) => <KpiGroup rows={rows} year={year} />}
    </QueryView>
  );
}

const FIRST = 10;

function KpiGroup({ rows, year }: { rows: readonly KpiRow[]; year: number }) {
  const [all, setAll] = useState(false);
  const inYear = useYears(rows, year);
  const standings = rows.map((kpi) => ({ kpi, ...inYear(kpi) }));
  // A reason for having no value is an answer too.
  const due = standings.filter(({ value, standing }) => (standing && !value) || standing === "not_achieved");
  const failed = standings.some((one) => one.failed);
  const pending = standings.some(({ standing, failed: without }) => !standing && !without);
  return (
    <>
      {failed && <p role="alert">▲ 一部のKPIの値を読み込めませんでした。ページを再読み込みしてください。</p>}
      <Group
        title={`${fiscalYearLabel(year)}の値が未入力か、目標に届いていないKPI`}
        nothing={pending ? "確認しています…" : "未入力や目標に届いていないKPIはありません。"}
        count={due.length}
      >
        <Table
          caption="値が未入力か、目標に届いていないKPI"
          captionHidden
          dense
          rows={all ? due : due.slice(0, FIRST)}
          rowKey={({ kpi }) => kpi.id}
          columns={[
            { key: "standing", header: "達成", width: "8.5rem", cell: ({ standing }) => <StandingMark standing={standing} /> },
            {
              key: "name",
              header: "KPI",
              rowHeader: true,
              width: "18rem",
              cell: ({ kpi }) => (
                <Link to="/kpis/$kpiId" params={{ kpiId: kpi.id }} className="link">
                  {kpi.name}
                </Link>
              ),
            },
            { key: "value", header: "値", width: "10rem", cell: ({ kpi, value }) => (value ? formatValue(value, kpi) : "未入力") },
            { key: "target", header: "目標", width: "10rem", cell: ({ kpi, target }) => (target ? formatTarget(target, kpi) : "") },
            { key: "responsible", header: "担当", width: "9rem", cell: ({ kpi }) => kpi.responsible },
          ]}
        />
        {!all && due.length > FIRST && (
          <Button className="no-print mt-2" variant="secondary" size="sm" onClick={() => setAll(true)}>
            残り{due.length - FIRST}件を表示
          </Button>
        )}
      </Group>
    </>
  );
}
