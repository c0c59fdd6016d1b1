import { Link } from "@tanstack/react-router";
import { client, everyPage, isApiError, useEveryPage, type components } from "../../api";
import { fiscalYearShort, todayInJapan } from "../../lib/date";
import { QueryView, StatusBadge } from "../../ui";
import { useFindings } from "../platform/Findings";
import { kindOf, type Platform } from "../platform/words";

type Plan = components["schemas"]["Plan"];

const SHARED = <span className="rounded-4 border border-solid-gray-600 px-1 text-sm">参画</span>;

/** A record that was shared and is not visible any more is left out. */
async function visible<T>(read: Promise<{ data?: T }>): Promise<T | undefined> {
  try {
    return (await read).data;
  } catch (error) {
    if (isApiError(error) && error.status === 404) return undefined;
    throw error;
  }
}

/** Platforms that the organisation owns, then those where it is a member today. */
export function MyPlatforms({ organizationId }: { organizationId: string }) {
  const platforms = useEveryPage(["home", "platforms", organizationId], async () => {
    const own = await everyPage((after) =>
      client.GET("/api/v1/platforms", { params: { query: { owner_org_id: organizationId, after, limit: 200 } } }).then(({ data }) => data ?? { items: [] }),
    );
    const memberships = await everyPage((after) =>
      client
        .GET("/api/v1/members", { params: { query: { organization_id: organizationId, on: todayInJapan(), after, limit: 200 } } })
        .then(({ data }) => data ?? { items: [] }),
    );
    const known = new Set(own.map(({ id }) => id));
    const others = [...new Set(memberships.map(({ platform_id: id }) => id))].filter((id) => !known.has(id));
    const shared = await Promise.all(
      others.map((id) => visible<Platform>(client.GET("/api/v1/platforms/{platform_id}", { params: { path: { platform_id: id } } }))),
    );
    return { items: [...own.map((platform) => ({ platform, own: true })), ...shared.flatMap((platform) => (platform ? [{ platform, own: false }] : []))] };
  });
  return (
    <section aria-labelledby="my-platforms">
      <h2 id="my-platforms" className="mb-2">
        自分の組織のプラットフォーム
      </h2>
      <QueryView query={platforms} what="プラットフォーム">
        {(rows) =>
          rows.length === 0 ? (
            <p>所有または参画しているプラットフォームはまだありません。</p>
          ) : (
            <ul className="grid gap-3">
              {rows.map(({ platform, own }) => (
                <li key={platform.id} className="rounded-8 border border-solid-gray-420 p-3">
                  <Link to="/platforms/$platformId" params={{ platformId: platform.id }} className="link font-bold">
                    {platform.name}
                  </Link>
                  <span className="mt-1 flex flex-wrap items-center gap-x-3 text-sm">
                    <StatusBadge status={platform.status} />
                    {kindOf(platform)}
                    {!own && SHARED}
                    {own && <OpenFindings platformId={platform.id} />}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </QueryView>
    </section>
  );
}

/** How many contradictions nobody has looked at; nothing while it is not known. */
function OpenFindings({ platformId }: { platformId: string }) {
  const open = useFindings({ platform_id: platformId }).data?.items.filter(({ state }) => state === "open").length ?? 0;
  if (open === 0) return null;
  return (
    <Link to="/platforms/$platformId" params={{ platformId }} search={{ tab: "findings" }} className="link">
      ▲ 未確認の指摘事項 {open}件
    </Link>
  );
}

/** Plans of the organisation, then those of others in which it has a column, that cover the chosen year. */
export function MyPlans({ organizationId, year }: { organizationId: string; year: number }) {
  const plans = useEveryPage(["home", "plans", organizationId, year], async () => {
    const own = await everyPage((after) =>
      client.GET("/api/v1/plans", { params: { query: { owner_org_id: organizationId, fiscal_year: year, after, limit: 200 } } }).then(({ data }) => data ?? { items: [] }),
    );
    const columns = await everyPage((after) =>
      client.GET("/api/v1/plan-actors", { params: { query: { organization_id: organizationId, after, limit: 200 } } }).then(({ data }) => data ?? { items: [] }),
    );
    const known = new Set(own.map(({ id }) => id));
    const others = [...new Set(columns.map(({ plan_id: id }) => id))].filter((id) => !known.has(id));
    const shared = await Promise.all(others.map((id) => visible<Plan>(client.GET("/api/v1/plans/{plan_id}", { params: { path: { plan_id: id } } }))));
    const covers = (plan: Plan) => plan.first_fiscal_year <= year && year <= plan.last_fiscal_year;
    return { items: [...own.map((plan) => ({ plan, own: true })), ...shared.flatMap((plan) => (plan && covers(plan) ? [{ plan, own: false }] : []))] };
  });
  return (
    <section aria-labelledby="my-plans">
      <h2 id="my-plans" className="mb-2">
        自分の組織の計画
      </h2>
      <QueryView query={plans} what="計画">
        {(rows) =>
          rows.length === 0 ? (
            <p>この年度に所有または参画している計画はありません。</p>
          ) : (
            <ul className="grid gap-3">
              {rows.map(({ plan, own }) => (
                <li key={plan.id} className="rounded-8 border border-solid-gray-420 p-3">
                  <Link to="/plans/$planId" params={{ planId: plan.id }} className="link font-bold">
                    {plan.title}
                  </Link>
                  <span className="mt-1 flex flex-wrap items-center gap-x-3 text-sm">
                    <StatusBadge status={plan.status} />
                    {fiscalYearShort(plan.first_fiscal_year)}～{fiscalYearShort(plan.last_fiscal_year)}
                    {!own && SHARED}
                  </span>
                </li>
              ))}
            </ul>
          )
        }
      </QueryView>
    </section>
  );
}
