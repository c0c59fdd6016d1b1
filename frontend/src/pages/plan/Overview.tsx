import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { client, etagOf, may, useIdentity, writeHeaders } from "../../api";
import { divideDecimals, formatDecimal } from "../../lib/decimal";
import { Button, EditableProse, ProseView, ScrollArea } from "../../ui";
import { isPercent, MISSING } from "../kpi/words";
import { proseConflict } from "../platform/proseConflict";
import { readOnlyReason } from "../platform/words";
import { goalName, type Goal, type Sheet } from "./sheet";

/** 【めざす姿】 of the chosen goal and of those below it; a goal without any is shown to those who can write it. */
export function States({ sheet }: { sheet: Sheet }) {
  const identity = useIdentity();
  const editable = may(identity, "goals", "update", sheet.plan);
  const [editing, setEditing] = useState(false);
  const shown = sheet.goals.filter((goal) => editing || goal.states.state !== "not_entered");
  return (
    <section>
      <div className="mb-2 flex flex-wrap items-center gap-x-3">
        <h3>【めざす姿】</h3>
        {editable && (
          <Button className="no-print" variant="text" size="sm" aria-pressed={editing} onClick={() => setEditing(!editing)}>
            {editing ? "編集を終える" : "めざす姿を編集"}
          </Button>
        )}
      </div>
      {shown.length === 0 && <p className="text-solid-gray-700">未記入</p>}
      <dl className="grid gap-2">
        {shown.map((goal) => (
          <div key={goal.id}>
            <dt className="font-bold">{goalName(goal)}</dt>
            <dd>
              <GoalStates goal={goal} editable={editable && editing} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function GoalStates({ goal, editable }: { goal: Goal; editable: boolean }) {
  const queries = useQueryClient();
  return (
    <EditableProse
      label={`${goalName(goal)}のめざす姿`}
      value={goal.states}
      etag={etagOf(goal.version)}
      draftKey={`goals/${goal.id}/states`}
      readOnlyReason={readOnlyReason(editable)}
      toConflict={proseConflict("states")}
      onSave={async (states, etag) => {
        const { data } = await client.PATCH("/api/v1/goals/{goal_id}", { params: { path: { goal_id: goal.id }, header: writeHeaders(etag) }, body: { states } });
        await queries.invalidateQueries();
        return { etag: data ? etagOf(data.version) : etag };
      }}
    />
  );
}

type SheetKpi = Sheet["kpis"][number];

function newest({ current, unit, decimals, value_type: type }: SheetKpi): string | null {
  if (!current) return null;
  if (current.missing_reason) return MISSING[current.missing_reason];
  if (current.value && type === "ratio") {
    const ratio = divideDecimals(current.value, "1", decimals ?? (isPercent({ unit }) ? 1 : 3));
    return ratio && `${formatDecimal(ratio)}${unit ?? ""}`;
  }
  return current.value ? `${formatDecimal(current.value)}${unit ?? ""}` : (current.text ?? null);
}

/** 重要業績評価指標(KPI) and the roles of the actors, goal by goal, as the printed sheet sets them side by side. */
export function KpisAndRoles({ sheet }: { sheet: Sheet }) {
  const actors = sheet.actors.filter(({ id }) => sheet.roles.some(({ actor_id }) => actor_id === id) || !sheet.actors.some((one) => one.id === id && one.parent_id));
  const goals = sheet.goals.filter(({ id }) => sheet.kpis.some(({ goal_id }) => goal_id === id) || sheet.roles.some(({ goal_id }) => goal_id === id));
  return (
    <section>
      <h3 id="roles-heading" className="mb-2">
        重要業績評価指標(KPI)と役割
      </h3>
      {goals.length === 0 ? (
        <p className="text-solid-gray-700">KPIも役割もまだ登録されていません。</p>
      ) : (
        <ScrollArea labelledBy="roles-heading">
          <table className="data-table dense table-fixed min-w-[60rem] print:min-w-0">
            <caption className="sr-only">目標ごとのKPIと、活動主体の役割</caption>
            <thead>
              <tr>
                <th scope="col">重要業績評価指標(KPI)</th>
                {actors.map(({ id, label, role_label: heading }) => (
                  <th key={id} scope="col">
                    {heading ?? `${label}の役割`}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {goals.map((goal) => (
                <tr key={goal.id}>
                  <td>
                    <p className="font-bold">{goalName(goal)}</p>
                    <Kpis kpis={sheet.kpis.filter(({ goal_id }) => goal_id === goal.id)} />
                  </td>
                  {actors.map(({ id }) => {
                    const role = sheet.roles.find(({ goal_id, actor_id }) => goal_id === goal.id && actor_id === id);
                    return (
                      <td key={id}>
                        <p className="font-bold">{goalName(goal)}</p>
                        {role?.expected_actor && <p>【期待される活動主体】{role.expected_actor}</p>}
                        <ProseView prose={{ state: role?.items.length ? "entered" : "not_entered", items: role?.items }} />
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </ScrollArea>
      )}
    </section>
  );
}

function Kpis({ kpis }: { kpis: readonly SheetKpi[] }) {
  if (kpis.length === 0) return <p className="text-solid-gray-700">（未記入）</p>;
  return (
    <ul className="grid gap-1">
      {kpis.map((kpi) => {
        const value = newest(kpi);
        return (
          <li key={kpi.id} className="flex gap-1">
            {kpi.number && <span className="shrink-0">{/\d$/.test(kpi.number) ? `${kpi.number}.` : kpi.number}</span>}
            <span className="min-w-0">
              <Link className="link" to="/kpis/$kpiId" params={{ kpiId: kpi.kpi_id }}>
                {kpi.printed ?? kpi.name}
              </Link>
              {kpi.relisted && <span> ※再掲</span>}
              {value && <span className="no-print block text-xs text-solid-gray-700">最新の値：{value}</span>}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
