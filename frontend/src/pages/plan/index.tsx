import { keepPreviousData } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useEffect, useState } from "react";
import { $api, client, isApiError, mayEdit, useEveryPage, useIdentity } from "../../api";
import { fiscalYearShort } from "../../lib/date";
import { Button, EmptyState, HistoryLink, PageHeader, QueryView, Select, StatusBadge, useSearchParam, type Crumb } from "../../ui";
import { VISIBILITIES } from "../kpi/words";
import { StatusActions } from "../platform/StatusActions";
import { PlanForm } from "../plans/PlanForm";
import { Evaluations } from "./Evaluations";
import { Grid, sheetQuery } from "./Grid";
import { States, KpisAndRoles } from "./Overview";
import { goalName, inTreeOrder, PLAN_KINDS, type Plan, type Sheet } from "./sheet";

const route = getRouteApi("/plans/$planId");
const CRUMBS: Crumb[] = [
  { label: "ホーム", href: "/" },
  { label: "計画・ロードマップ", href: "/plans" },
];

export default function PlanPage() {
  const { planId } = route.useParams();
  const plan = $api.useQuery("get", "/api/v1/plans/{plan_id}", { params: { path: { plan_id: planId } } });
  if (isApiError(plan.error) && plan.error.status === 404) {
    return (
      <>
        <PageHeader title="計画が見つかりません" breadcrumbs={[...CRUMBS, { label: "見つかりません" }]} />
        <EmptyState
          title="この計画は表示できません"
          actions={
            <Link to="/plans" className="link">
              計画の一覧へ
            </Link>
          }
        >
          削除されたか、所属する組織から閲覧できる範囲の外にあります。
        </EmptyState>
      </>
    );
  }
  return (
    <>
      {!plan.data && <PageHeader title="実施計画ロードマップ" breadcrumbs={[...CRUMBS, { label: "…" }]} />}
      <QueryView query={plan} what="計画">
        {(data) => <PlanView key={data.id} plan={data} />}
      </QueryView>
    </>
  );
}

function PlanView({ plan }: { plan: Plan }) {
  const identity = useIdentity();
  const [editing, setEditing] = useState(false);
  const [chosen, setChosen] = useSearchParam("goal");
  const goals = useEveryPage(["goals", plan.id], (after) =>
    client.GET("/api/v1/goals", { params: { query: { plan_id: plan.id, after, limit: 200 } } }).then(({ data }) => data ?? { items: [] }),
  );
  const editor = mayEdit(identity, "plans", plan);
  return (
    <>
      <PageHeader
        title={plan.title}
        breadcrumbs={[...CRUMBS, { label: plan.title }]}
        meta={
          <>
            {plan.subtitle && <span className="text-xl font-bold">{plan.subtitle}</span>}
            <StatusBadge status={plan.status} />
          </>
        }
        lead={
          <>
            {PLAN_KINDS[plan.kind]}　計画期間 {plan.first_fiscal_year}（{fiscalYearShort(plan.first_fiscal_year)}）～{plan.last_fiscal_year}（{fiscalYearShort(plan.last_fiscal_year)}）年度
            {plan.edition && `　${plan.edition}`}
            <span className="no-print">　公開範囲：{VISIBILITIES[plan.visibility]}</span>
          </>
        }
        printable
        past
        actions={
          <>
            <StatusActions
              resource="plans"
              record={plan}
              what={plan.title}
              send={(status, header) => client.POST("/api/v1/plans/{plan_id}/transition", { params: { path: { plan_id: plan.id }, header }, body: { status } })}
            />
            {editor && (
              <Button variant="secondary" size="sm" onClick={() => setEditing(true)}>
                基本情報を編集
              </Button>
            )}
            <HistoryLink entity="plans" id={plan.id} />
          </>
        }
      />
      <QueryView query={goals} what="計画の目標">
        {(all) => {
          const tree = inTreeOrder(all);
          const first = tree.find(({ goal }) => goal.kind === "priority_initiative") ?? tree[0];
          const current = tree.find(({ goal }) => goal.id === chosen) ?? first;
          if (!current) {
            return (
              <EmptyState title="この計画の目標はまだ登録されていません">
                {editor ? "データ連携（API）で目標と列を登録すると、ロードマップがここに表示されます。" : "計画を所有する組織が目標を登録すると、ロードマップがここに表示されます。"}
              </EmptyState>
            );
          }
          return (
            <>
              {tree.length > 1 && (
                <Select
                  className="no-print mb-1 max-w-3xl"
                  size="sm"
                  label={<span className="sr-only">表示する目標</span>}
                  value={current.goal.id}
                  onChange={setChosen}
                  options={tree.map(({ goal, depth }) => ({ value: goal.id, label: `${"　".repeat(depth)}${goalName(goal)}` }))}
                />
              )}
              <SheetView planId={plan.id} goalId={current.goal.id} version={plan.version} />
            </>
          );
        }}
      </QueryView>
      {editing && <PlanForm plan={plan} onClose={() => setEditing(false)} />}
    </>
  );
}

function SheetView({ planId, goalId, version }: { planId: string; goalId: string; version: number }) {
  const sheet = $api.useQuery("get", "/api/v1/plans/{plan_id}/sheet", sheetQuery(planId, goalId), { placeholderData: keepPreviousData });
  const { data, refetch } = sheet;
  const stale = data !== undefined && data.plan.version < version;
  useEffect(() => {
    if (stale) void refetch();
  }, [stale, refetch]);
  return (
    <QueryView query={sheet} what="ロードマップ">
      {(now) => <SheetParts sheet={now} />}
    </QueryView>
  );
}

function SheetParts({ sheet }: { sheet: Sheet }) {
  const [goal] = sheet.goals;
  if (!goal) return null;
  const title = goalName(goal);
  return (
    <>
      {/* On screen the choice above already says it; the paper needs it. */}
      <h2 className="sr-only print:not-sr-only">{title}</h2>
      {sheet.above.length > 0 && <p className="text-sm text-solid-gray-700 print:text-base">{sheet.above.map((above) => [above.number, above.title].filter(Boolean).join("：")).join("／")}</p>}
      {/* On screen the sheet comes first: it is what is worked on. On paper it stands last, as printed. */}
      <div className="mt-2 grid gap-6 print:flex print:flex-col print:gap-3">
        <section className="min-w-0 print:order-last print:break-before-page">
          <h3 className="sr-only print:not-sr-only print:mb-1">年次ごとの取り組みと実績</h3>
          <Grid key={goal.id} sheet={sheet} goal={goal} />
        </section>
        <div className="grid items-start gap-6 lg:grid-cols-2 print:grid-cols-2">
          <States sheet={sheet} />
          <Evaluations sheet={sheet} />
        </div>
        <KpisAndRoles sheet={sheet} />
      </div>
    </>
  );
}
