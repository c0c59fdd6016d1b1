import { Link } from "@tanstack/react-router";
import { client, may, useEveryPage, useIdentity } from "../../api";
import { QueryView } from "../../ui";
import { WARNED_DAYS } from "../admin-clients/words";
import { Group } from "./Due";

interface Warning {
  text: string;
  to: string;
  search?: Record<string, string>;
}

const LIMIT = 200;
const count = ({ length }: readonly unknown[]) => (length < LIMIT ? `${length}件` : `${LIMIT}件以上`);

/** What systems left for a person: conflicts, credentials that end, messages that did not arrive. */
export function Machines() {
  const identity = useIdentity();
  const warnings = useEveryPage(["home", "machines", identity?.id], async () => {
    const [conflicts, systems] = await Promise.all([may(identity, "sync_rows", "update") ? openConflicts() : [], may(identity, "clients", "create") ? ofSystems() : []]);
    return { items: [...conflicts, ...systems] };
  });
  return (
    <QueryView query={warnings} what="連携システムと同期の状況">
      {(rows) =>
        rows.length > 0 && (
          <Group title="連携システムと同期" nothing="" count={rows.length}>
            <ul className="grid gap-1">
              {rows.map(({ text, to, search }) => (
                <li key={text}>
                  <span aria-hidden="true">▲ </span>
                  <Link to={to} search={search} className="link">
                    {text}
                  </Link>
                </li>
              ))}
            </ul>
          </Group>
        )
      }
    </QueryView>
  );
}

async function openConflicts(): Promise<Warning[]> {
  const { data } = await client.GET("/api/v1/sync-runs", { params: { query: { open: true, limit: LIMIT } } });
  return data?.items.length ? [{ text: `どちらの内容を残すか決めていない行がある同期 ${count(data.items)}`, to: "/sync", search: { result: "open" } }] : [];
}

async function ofSystems(): Promise<Warning[]> {
  const soon = new Date(Date.now() + WARNED_DAYS * 86_400_000).toISOString();
  const [ending, off, dead] = await Promise.all([
    client.GET("/api/v1/clients", { params: { query: { expires_before: soon, limit: LIMIT } } }),
    client.GET("/api/v1/webhooks", { params: { query: { active: false, limit: LIMIT } } }),
    client.GET("/api/v1/webhook-deliveries", { params: { query: { status: "dead", limit: LIMIT } } }),
  ]);
  const systems = ending.data?.items.filter(({ active }) => active) ?? [];
  return [
    ...(systems.length > 0 ? [{ text: `有効期限が${WARNED_DAYS}日以内か、切れている連携システム：${systems.map(({ name }) => name).join("、")}`, to: "/admin/clients" }] : []),
    ...(dead.data?.items.length ? [{ text: `連携システムに届かなかった通知 ${count(dead.data.items)}`, to: "/admin/webhooks" }] : []),
    ...(off.data?.items.length ? [{ text: `停止している通知先 ${count(off.data.items)}`, to: "/admin/webhooks" }] : []),
  ];
}
