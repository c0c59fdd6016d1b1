import { Link } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { $api, mayEdit, useIdentity } from "../../api";
import { formatDecimal } from "../../lib/decimal";
import { formatPeriod } from "../../lib/period";
import { Button } from "../../ui";
import { DefinitionForm, FIELD_NAMES } from "./DefinitionForm";
import { AREA_RULES, DIRECTIONS, FREQUENCIES, TIME_RULES, VALUE_TYPES, VISIBILITIES, type KpiDetail } from "./words";

/** The definition sheet (指標定義書): what is measured, and how values may be put together. */
export function Definition({ kpi }: { kpi: KpiDetail }) {
  const identity = useIdentity();
  const [editing, setEditing] = useState(false);
  const { baseline } = kpi;
  const rows: [string, ReactNode][] = [
    [FIELD_NAMES.definition, kpi.definition],
    [FIELD_NAMES.value_type, VALUE_TYPES[kpi.value_type].label],
    ...(kpi.value_type === "ratio"
      ? ([
          [FIELD_NAMES.numerator_label, kpi.numerator_label],
          [FIELD_NAMES.denominator_label, kpi.denominator_label],
        ] satisfies [string, ReactNode][])
      : []),
    [FIELD_NAMES.unit, kpi.unit],
    [FIELD_NAMES.direction, DIRECTIONS[kpi.direction]],
    [
      FIELD_NAMES.baseline,
      baseline && (
        <>
          {baseline.value ? `${formatDecimal(baseline.value)}${kpi.unit ?? ""}` : baseline.text}
          {baseline.period && `（${formatPeriod(baseline.period)}）`}
          {baseline.source && <span className="block">出典：{baseline.source}</span>}
          {baseline.printed && <span className="block">原文：{baseline.printed}</span>}
        </>
      ),
    ],
    [
      FIELD_NAMES.time_rule,
      <>
        <strong>{TIME_RULES[kpi.time_rule].label}</strong>：{TIME_RULES[kpi.time_rule].words}
      </>,
    ],
    [
      FIELD_NAMES.area_rule,
      <>
        <strong>{AREA_RULES[kpi.area_rule].label}</strong>：{AREA_RULES[kpi.area_rule].words}
      </>,
    ],
    [FIELD_NAMES.frequency, FREQUENCIES[kpi.frequency]],
    [FIELD_NAMES.responsible, kpi.responsible],
    [FIELD_NAMES.data_source, kpi.data_source],
    [FIELD_NAMES.platform_id, kpi.platform_id && <PlatformLink id={kpi.platform_id} />],
    [FIELD_NAMES.plan_id, kpi.plan_id && <PlanLink id={kpi.plan_id} />],
    [FIELD_NAMES.visibility, VISIBILITIES[kpi.visibility]],
    [FIELD_NAMES.counts_people, kpi.counts_people ? "はい（外部の閲覧者には少ない人数を秘匿します）" : "いいえ"],
    [FIELD_NAMES.printed, kpi.printed],
  ];
  return (
    <section className="mt-8">
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <h2>定義書</h2>
        {mayEdit(identity, "kpis", kpi) && (
          <Button variant="secondary" size="sm" onClick={() => setEditing(true)}>
            定義書を変更
          </Button>
        )}
      </div>
      <dl className="gap-x-8 lg:columns-2 print:columns-2">
        {rows.map(([term, content]) => (
          <div key={term} className="keep-together grid gap-x-4 border-b border-solid-gray-420 py-1.5 md:grid-cols-[9rem_1fr]">
            <dt className="font-bold">{term}</dt>
            <dd className="whitespace-pre-wrap">{content || <span className="text-solid-gray-700">未入力</span>}</dd>
          </div>
        ))}
      </dl>
      {editing && <DefinitionForm kpi={kpi} onClose={() => setEditing(false)} onSaved={() => undefined} />}
    </section>
  );
}

function PlatformLink({ id }: { id: string }) {
  const { data } = $api.useQuery("get", "/api/v1/platforms/{platform_id}", { params: { path: { platform_id: id } } });
  return (
    <Link className="link" to="/platforms/$platformId" params={{ platformId: id }}>
      {data?.name ?? "プラットフォーム"}
    </Link>
  );
}

function PlanLink({ id }: { id: string }) {
  const { data } = $api.useQuery("get", "/api/v1/plans/{plan_id}", { params: { path: { plan_id: id } } });
  return (
    <Link className="link" to="/plans/$planId" params={{ planId: id }}>
      {data?.title ?? "計画"}
    </Link>
  );
}
