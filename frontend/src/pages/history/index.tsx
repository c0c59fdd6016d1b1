import { useQueries } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { $api, client, isApiError, usePages, type components } from "../../api";
import { buttonClass, EmptyState, HistoryTimeline, LoadMore, Notice, PageHeader, QueryView } from "../../ui";
import { changesOf, ENTITIES, fieldWord, valueText } from "./words";

type Entry = components["schemas"]["HistoryEntry"];

const route = getRouteApi("/history/$entity/$id");
const ACTIONS: Record<string, string> = { I: "作成", U: "変更", D: "削除" };
const WHOLE: Record<string, "created" | "deleted"> = { I: "created", D: "deleted" };

/** Records that others refer to, and what they are called. A name that may not be read stays out. */
const NAMED: Record<string, (id: string) => Promise<string | undefined>> = {
  platform_id: async (id) => (await client.GET("/api/v1/platforms/{platform_id}", { params: { path: { platform_id: id } } })).data?.name,
  plan_id: async (id) => (await client.GET("/api/v1/plans/{plan_id}", { params: { path: { plan_id: id } } })).data?.title,
  project_id: async (id) => (await client.GET("/api/v1/projects/{project_id}", { params: { path: { project_id: id } } })).data?.name,
  goal_id: async (id) => (await client.GET("/api/v1/goals/{goal_id}", { params: { path: { goal_id: id } } })).data?.title,
  kpi_id: async (id) => (await client.GET("/api/v1/kpis/{kpi_id}", { params: { path: { kpi_id: id } } })).data?.name,
  user_id: async (id) => (await client.GET("/api/v1/users/{user_id}", { params: { path: { user_id: id } } })).data?.name,
  actor_id: async (id) => (await client.GET("/api/v1/plan-actors/{plan_actor_id}", { params: { path: { plan_actor_id: id } } })).data?.label,
};
const organizationName = async (id: string) => (await client.GET("/api/v1/organizations/{organization_id}", { params: { path: { organization_id: id } } })).data?.name;
for (const field of ["organization_id", "contractor_id", "entered_by_org_id"]) NAMED[field] = organizationName;

export default function HistoryPage() {
  const { entity, id } = route.useParams();
  const known = ENTITIES[entity];
  const history = usePages<Entry>(["history", entity, id], (after) =>
    client
      .GET("/api/v1/history", { params: { query: { entity: entity as components["schemas"]["Entity"], record_id: id, after, limit: 50 } } })
      .then(({ data }) => data ?? { items: [] }),
  );
  const newest = history.data?.[0];
  const title = newest ? titleOf(newest) : "";
  const names = useNames(history.data ?? []);
  const missing = !known || (isApiError(history.error) && [400, 404, 422].includes(history.error.status)) || history.data?.length === 0;
  const parent = useParent(known?.page ? undefined : newest?.record);
  const deleted = newest?.operation === "D";
  return (
    <>
      <PageHeader
        title={`${known?.word ?? "記録"}の変更の履歴${title && `：${title}`}`}
        breadcrumbs={[
          { label: "ホーム", href: "/" },
          ...(known?.list ? [known.list] : []),
          ...(parent ? [parent] : []),
          ...(known?.page && title && !deleted ? [{ label: title, href: `${known.page}${id}` }] : []),
          { label: "変更の履歴" },
        ]}
        lead="新しい順に、誰が、いつ、何を、なぜ変えたかを表示します。"
        printable
      />
      {missing ? (
        <EmptyState title="履歴が見つかりません">削除されて閲覧できなくなったか、閲覧できる範囲の外にある記録です。</EmptyState>
      ) : (
        <QueryView query={history} what="変更の履歴">
          {(entries) => (
            <>
              {deleted && (
                <div className="mb-4">
                  <Notice title="この記録は削除されています">削除される前の内容と変更の履歴は、そのまま残っています。</Notice>
                </div>
              )}
              <HistoryTimeline
                entries={entries.map((entry) => ({
                  id: String(entry.version),
                  at: entry.at,
                  by: entry.actor_name ?? "システム",
                  organization: entry.actor_org_id ? names.get(entry.actor_org_id) : undefined,
                  action: ACTIONS[entry.operation] ?? entry.operation,
                  whole: WHOLE[entry.operation],
                  reason: entry.reason ?? undefined,
                  changes: changesOf(entry).map(({ field, from, to }) => ({
                    field: fieldWord(entity, field),
                    from: valueText(entity, field, from, names),
                    to: valueText(entity, field, to, names),
                  })),
                  link:
                    known?.page && entry.operation !== "D" ? (
                      <Link className={buttonClass("text", "sm")} to={`${known.page}${id}`} search={{ as_of: entry.at }}>
                        この時点を見る
                      </Link>
                    ) : undefined,
                }))}
              />
              <LoadMore {...history.more} />
            </>
          )}
        </QueryView>
      )}
    </>
  );
}

function titleOf({ record }: Entry): string {
  const { name, title, label, text } = record as Record<string, unknown>;
  const found = [name, title, label, text].find((candidate) => typeof candidate === "string" && candidate);
  return typeof found === "string" ? (found.split("\n")[0] ?? "") : "";
}

/** The page on which a record stands that has none of its own. */
function useParent(record: Record<string, unknown> | undefined) {
  const id = (field: string) => (typeof record?.[field] === "string" ? record[field] : undefined);
  const goal = id("goal_id");
  const asked = $api.useQuery("get", "/api/v1/goals/{goal_id}", { params: { path: { goal_id: goal ?? "" } } }, { enabled: goal !== undefined && !id("kpi_id"), retry: false });
  if (id("kpi_id")) return { label: "KPI", href: `/kpis/${id("kpi_id")}` };
  if (asked.data) return { label: "計画・ロードマップ", href: `/plans/${asked.data.plan_id}` };
  if (id("plan_id")) return { label: "計画・ロードマップ", href: `/plans/${id("plan_id")}` };
  if (id("project_id")) return { label: "事業", href: `/projects/${id("project_id")}` };
  if (id("platform_id")) return { label: "プラットフォーム", href: `/platforms/${id("platform_id")}` };
  return undefined;
}

/** Names instead of ids: of the organisations that changed something, and of the records that fields refer to. */
function useNames(entries: readonly Entry[]): ReadonlyMap<string, string> {
  const wanted = new Map<string, (id: string) => Promise<string | undefined>>();
  for (const entry of entries) {
    if (entry.actor_org_id) wanted.set(entry.actor_org_id, organizationName);
    for (const { field, from, to } of changesOf(entry)) {
      const ask = NAMED[field];
      for (const id of [from, to]) if (ask && typeof id === "string") wanted.set(id, ask);
    }
  }
  const found = useQueries({
    queries: [...wanted].map(([id, ask]) => ({ queryKey: ["name", id], retry: false, staleTime: 300_000, queryFn: async () => (await ask(id)) ?? null })),
  });
  return new Map([...wanted.keys()].flatMap((id, index) => (found[index]?.data ? [[id, found[index].data] as const] : [])));
}
