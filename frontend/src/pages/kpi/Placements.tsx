import { useQueries, useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { $api, client, etagOf, fieldErrors, may, useEveryPage, useIdentity, useWrite, writeHeaders, type components } from "../../api";
import { parseNumber } from "../../lib/decimal";
import { announce, Button, Checkbox, ConfirmDialog, EmptyState, fieldsOf, FormDialog, Notice, QueryView, RadioGroup, Select, Table, TextField, type FieldErrors } from "../../ui";
import { RecordDialog } from "../platform/RecordDialog";
import type { KpiDetail } from "./words";

type Placement = components["schemas"]["KpiPlacement"];
type Fields = components["schemas"]["KpiPlacementFields"];

interface Place {
  kind: string;
  name: string;
  to?: string;
  search?: Record<string, string>;
}

/** The name of the place, asked for one by one: a KPI stands in a few places at most. */
async function placeOf(placement: Placement): Promise<Place> {
  const { goal_id: goal, project_id: project, platform_id: platform } = placement;
  if (platform) {
    const { data } = await client.GET("/api/v1/platforms/{platform_id}", { params: { path: { platform_id: platform } } });
    return { kind: "プラットフォーム", name: data?.name ?? "", to: `/platforms/${platform}`, search: { tab: "kpis" } };
  }
  if (project) {
    const { data } = await client.GET("/api/v1/projects/{project_id}", { params: { path: { project_id: project } } });
    return { kind: "事業", name: data?.name ?? "", to: `/projects/${project}` };
  }
  const { data } = await client.GET("/api/v1/goals/{goal_id}", { params: { path: { goal_id: goal ?? "" } } });
  return { kind: "計画の目標", name: [data?.number, data?.title].filter(Boolean).join(" "), to: data && `/plans/${data.plan_id}`, search: { goal: goal ?? "" } };
}

/** Where the KPI is listed: it exists once, and may stand in several places (※再掲). */
export function Placements({ kpi }: { kpi: KpiDetail }) {
  const identity = useIdentity();
  const queries = useQueryClient();
  const [adding, setAdding] = useState(false);
  const [editing, setEditing] = useState<Placement>();
  const [removing, setRemoving] = useState<Placement>();
  const { busy, error, run } = useWrite();
  const placements = useEveryPage(["kpi-placements", kpi.id], (after) =>
    client.GET("/api/v1/kpi-placements", { params: { query: { kpi_id: kpi.id, limit: 200, after } } }).then(({ data }) => data ?? { items: [] }),
  );
  const places = useQueries({
    queries: (placements.data ?? []).map((placement) => ({ queryKey: ["place", placement.id, placement.version], queryFn: () => placeOf(placement), retry: false })),
  });
  const editable = may(identity, "kpi_placements", "update", kpi);

  const remove = async (placement: Placement) => {
    const done = await run(placement.id, () =>
      client.DELETE("/api/v1/kpi-placements/{kpi_placement_id}", { params: { path: { kpi_placement_id: placement.id }, header: writeHeaders(etagOf(placement.version)) } }),
    );
    setRemoving(undefined);
    await queries.invalidateQueries();
    if (done) announce("掲載をやめました");
  };

  return (
    <section className="mt-8">
      <div className="mb-3 flex flex-wrap items-center justify-between gap-3">
        <h2>掲載場所</h2>
        {editable && (
          <Button variant="secondary" size="sm" onClick={() => setAdding(true)}>
            掲載場所を追加
          </Button>
        )}
      </div>
      {error && (
        <Notice tone="error" live title="変更できませんでした">
          {error.message}
        </Notice>
      )}
      <QueryView query={placements} what="掲載場所">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState title="どこにも掲載していません">計画の目標、事業、プラットフォームに掲載すると、その画面にこのKPIが並びます。</EmptyState>
          ) : (
            <Table
              caption="掲載場所"
              captionHidden
              rows={rows.map((placement, index) => ({ placement, place: places[index] }))}
              rowKey={({ placement }) => placement.id}
              columns={[
                {
                  key: "name",
                  header: "場所",
                  rowHeader: true,
                  width: "20rem",
                  cell: ({ place }) =>
                    place?.error ? (
                      "閲覧できない記録です"
                    ) : place?.data?.to ? (
                      <Link className="link" to={place.data.to} search={place.data.search}>
                        {place.data.name}
                      </Link>
                    ) : (
                      place?.data?.name
                    ),
                },
                { key: "kind", header: "種類", width: "9rem", cell: ({ place }) => place?.data?.kind },
                { key: "number", header: "番号", width: "6rem", cell: ({ placement }) => placement.number },
                { key: "relisted", header: "再掲", width: "5rem", cell: ({ placement }) => (placement.relisted ? "※再掲" : "") },
                { key: "printed", header: "原文表記", width: "12rem", cell: ({ placement }) => <span className="whitespace-pre-wrap">{placement.printed}</span> },
                ...(editable
                  ? [
                      {
                        key: "actions",
                        header: "操作",
                        screenOnly: true,
                        width: "10rem",
                        cell: ({ placement, place }: { placement: Placement; place?: { data?: Place } }) => (
                          <span className="-my-1 flex flex-wrap gap-1">
                            <Button variant="text" size="sm" aria-label={`${place?.data?.name ?? "この場所"}への掲載を編集`} onClick={() => setEditing(placement)}>
                              編集
                            </Button>
                            <Button variant="text" size="sm" aria-label={`${place?.data?.name ?? "この場所"}への掲載をやめる`} onClick={() => setRemoving(placement)}>
                              やめる
                            </Button>
                          </span>
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          )
        }
      </QueryView>
      {adding && <PlacementForm kpi={kpi} placements={placements.data ?? []} onClose={() => setAdding(false)} />}
      {editing && <EditPlacement placement={editing} onClose={() => setEditing(undefined)} />}
      <ConfirmDialog
        open={removing !== undefined}
        title="掲載をやめますか"
        confirmLabel="掲載をやめる"
        variant="danger"
        busy={busy}
        onConfirm={() => removing && void remove(removing)}
        onClose={() => setRemoving(undefined)}
      >
        <p>この場所の一覧からKPIを外します。KPIと値はそのまま残り、あとでもう一度掲載できます。</p>
      </ConfirmDialog>
    </section>
  );
}

/** The place stays: a KPI that moves is taken out there and listed here. */
function EditPlacement({ placement, onClose }: { placement: Placement; onClose: () => void }) {
  return (
    <RecordDialog<Placement, { number: string; printed: string; relisted: boolean; position: string }, Partial<Fields>>
      title="掲載の編集"
      submitLabel="変更する"
      record={placement}
      names={{ number: "番号", printed: "原文表記", relisted: "※再掲", position: "表示順" }}
      toDraft={(from) => ({ number: from?.number ?? "", printed: from?.printed ?? "", relisted: from?.relisted ?? false, position: String(from?.position ?? 0) })}
      toFields={(draft) => {
        const position = parseNumber(draft.position);
        const whole = position !== null && /^-?\d{1,9}$/.test(position);
        return {
          errors: whole ? {} : { "/position": "表示順は整数で入力してください。" },
          fields: { number: draft.number.trim() || null, printed: draft.printed.trim() || null, relisted: draft.relisted, position: whole ? Number(position) : 0 },
        };
      }}
      update={(body, header) => client.PATCH("/api/v1/kpi-placements/{kpi_placement_id}", { params: { path: { kpi_placement_id: placement.id }, header }, body })}
      onClose={onClose}
    >
      {({ draft, set, field }) => (
        <>
          <TextField {...field("/number")} label="番号" required={false} hint="この場所での番号。例：1-2" maxLength={300} value={draft.number} onChange={(number) => set({ number })} />
          <TextField {...field("/printed")} label="原文表記" required={false} hint="この場所に書かれているとおり" value={draft.printed} onChange={(printed) => set({ printed })} />
          <TextField {...field("/position")} label="表示順" inputMode="numeric" hint="小さい数から順に並びます" value={draft.position} onChange={(position) => set({ position })} />
          <Checkbox label="※再掲" hint="別の場所にも載せているKPIに付けます。" checked={draft.relisted} onChange={(relisted) => set({ relisted })} />
        </>
      )}
    </RecordDialog>
  );
}

type Kind = "platform" | "project" | "goal";

function PlacementForm({ kpi, placements, onClose }: { kpi: KpiDetail; placements: readonly Placement[]; onClose: () => void }) {
  const identity = useIdentity();
  const queries = useQueryClient();
  const owner = identity?.organization_id ?? undefined;
  const [kind, setKind] = useState<Kind>("platform");
  const [parent, setParent] = useState("");
  const [chosen, setChosen] = useState("");
  const [number, setNumber] = useState("");
  const [printed, setPrinted] = useState("");
  const [relisted, setRelisted] = useState(placements.length > 0);
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run } = useWrite();

  const platforms = $api.useQuery("get", "/api/v1/platforms", { params: { query: { owner_org_id: owner, limit: 200 } } });
  const plans = $api.useQuery("get", "/api/v1/plans", { params: { query: { owner_org_id: owner, limit: 200 } } }, { enabled: kind === "goal" });
  const projects = useEveryPage(
    ["projects", parent],
    (after) => client.GET("/api/v1/projects", { params: { query: { platform_id: parent, limit: 200, after } } }).then(({ data }) => data ?? { items: [] }),
    kind === "project" && parent !== "",
  );
  const goals = useEveryPage(
    ["goals", parent],
    (after) => client.GET("/api/v1/goals", { params: { query: { plan_id: parent, limit: 200, after } } }).then(({ data }) => data ?? { items: [] }),
    kind === "goal" && parent !== "",
  );
  const choose = [{ value: "", label: "選んでください" }];
  const platformOptions = [...choose, ...(platforms.data?.items.map(({ id, name }) => ({ value: id, label: name })) ?? [])];
  const options = {
    platform: platformOptions,
    project: [...choose, ...(projects.data?.map(({ id, name }) => ({ value: id, label: name })) ?? [])],
    goal: [...choose, ...(goals.data?.map(({ id, number: mark, title }) => ({ value: id, label: [mark, title].filter(Boolean).join(" ") })) ?? [])],
  }[kind];

  const save = async () => {
    const errors: FieldErrors = chosen ? {} : { "/place": "掲載する場所を選んでください。" };
    setGaps(errors);
    if (!chosen) return;
    const body: Fields = {
      kpi_id: kpi.id,
      [`${kind}_id`]: chosen,
      number: number.trim() || null,
      printed: printed.trim() || null,
      relisted,
    };
    const saved = await run(body, (header) => client.POST("/api/v1/kpi-placements", { params: { header }, body }));
    if (!saved) return;
    await queries.invalidateQueries();
    announce("掲載場所を追加しました");
    onClose();
  };

  const errors = { ...fieldErrors(error?.problem), ...gaps };
  const field = fieldsOf("placement", errors);
  return (
    <FormDialog open form="placement" title="掲載場所の追加" submitLabel="追加する" errors={errors} failure={error} busy={busy} dirty={chosen !== "" || number !== ""} onSubmit={() => void save()} onClose={onClose}>
      <RadioGroup
        label="場所の種類"
        value={kind}
        onChange={(value) => {
          setKind(value as Kind);
          setParent("");
          setChosen("");
        }}
        options={[
          { value: "platform", label: "プラットフォーム" },
          { value: "project", label: "事業" },
          { value: "goal", label: "計画の目標" },
        ]}
      />
      {kind === "project" && <Select label="事業のプラットフォーム" value={parent} onChange={setParent} options={platformOptions} />}
      {kind === "goal" && (
        <Select label="計画" value={parent} onChange={setParent} options={[...choose, ...(plans.data?.items.map(({ id, title }) => ({ value: id, label: title })) ?? [])]} />
      )}
      {(kind === "platform" || parent !== "") && <Select label="掲載する場所" required value={chosen} onChange={setChosen} options={options} {...field("/place")} />}
      <TextField label="番号" required={false} hint="この場所での番号。例：1-2" maxLength={300} value={number} onChange={setNumber} {...field("/number")} />
      <TextField label="原文表記" required={false} hint="この場所に書かれているとおり" value={printed} onChange={setPrinted} {...field("/printed")} />
      <Checkbox label="※再掲" hint="別の場所にも載せているKPIに付けます。" checked={relisted} onChange={setRelisted} />
    </FormDialog>
  );
}
