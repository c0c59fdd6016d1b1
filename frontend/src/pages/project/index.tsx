import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { $api, client, etagOf, isApiError, mayEdit, useIdentity, writeHeaders } from "../../api";
import { fiscalYearLabel } from "../../lib/date";
import type { Prose } from "../../lib/prose";
import { Button, EditableProse, EmptyState, HistoryLink, PageHeader, QueryView, StatusBadge } from "../../ui";
import { VISIBILITIES } from "../kpi/words";
import { Findings, useFindings } from "../platform/Findings";
import { Kpis } from "../platform/Kpis";
import { proseConflict } from "../platform/proseConflict";
import { StatusActions } from "../platform/StatusActions";
import { readOnlyReason } from "../platform/words";
import { CostsPart } from "./Costs";
import { MediaPart, SchedulesPart, VerificationPart } from "./Lists";
import { ProjectForm } from "./ProjectForm";
import { SectionsPart } from "./Sections";
import { progressOf, type Project } from "./words";

const route = getRouteApi("/projects/$projectId");
const CRUMBS = [
  { label: "ホーム", href: "/" },
  { label: "プラットフォーム", href: "/platforms" },
];

export default function ProjectPage() {
  const { projectId } = route.useParams();
  const project = $api.useQuery("get", "/api/v1/projects/{project_id}", { params: { path: { project_id: projectId } } });
  if (isApiError(project.error) && project.error.status === 404) {
    return (
      <>
        <PageHeader title="事業が見つかりません" breadcrumbs={[...CRUMBS, { label: "見つかりません" }]} />
        <EmptyState
          title="この事業は表示できません"
          actions={
            <Link to="/platforms" className="link">
              プラットフォームの一覧へ
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
      {!project.data && <PageHeader title="事業" breadcrumbs={[...CRUMBS, { label: "…" }]} />}
      <QueryView query={project} what="事業">
        {(data) => <ProjectView key={data.id} project={data} />}
      </QueryView>
    </>
  );
}

/** The four boxes of a project's page. */
const BOXES = [
  ["summary", "概要"],
  ["ingenuity_points", "工夫点"],
  ["detail_aims", "ねらい"],
  ["results", "結果"],
] as const;

function ProjectView({ project }: { project: Project }) {
  const identity = useIdentity();
  const queries = useQueryClient();
  const [editing, setEditing] = useState(false);
  const editable = mayEdit(identity, "projects", project);
  const found = useFindings({ project_id: project.id }).data?.items.length ?? 0;
  const { data: platform } = $api.useQuery(
    "get",
    "/api/v1/platforms/{platform_id}",
    { params: { path: { platform_id: project.platform_id ?? "" } } },
    { enabled: project.platform_id !== null },
  );

  const prose = (field: "summary" | "ingenuity_points" | "detail_aims" | "results" | "content" | "aims", label: string) => (
    <EditableProse
      label={label}
      value={project[field] as Prose}
      etag={etagOf(project.version)}
      draftKey={`projects/${project.id}/${field}`}
      readOnlyReason={readOnlyReason(editable, project)}
      onSave={async (value, etag) => {
        const { data } = await client.PATCH("/api/v1/projects/{project_id}", {
          params: { path: { project_id: project.id }, header: writeHeaders(etag) },
          body: { [field]: value },
        });
        await queries.invalidateQueries({ queryKey: ["get", "/api/v1/projects/{project_id}"] });
        return { etag: etagOf(data?.version ?? project.version) };
      }}
      toConflict={proseConflict(field)}
    />
  );

  return (
    <>
      <PageHeader
        title={project.title ?? project.name}
        breadcrumbs={[...CRUMBS, ...(platform ? [{ label: platform.name, href: `/platforms/${platform.id}` }] : []), { label: project.name }]}
        meta={
          <>
            <StatusBadge status={project.status} />
            <span>{progressOf(project.progress)}</span>
            {project.is_reference && <span className="rounded-4 border border-solid-gray-600 px-1">※参考</span>}
            <span>{fiscalYearLabel(project.fiscal_year)}</span>
          </>
        }
        printable
        past
        actions={
          <>
            <StatusActions
              resource="projects"
              record={project}
              what={project.name}
              send={(status, header) =>
                client.POST("/api/v1/projects/{project_id}/transition", { params: { path: { project_id: project.id }, header }, body: { status } })
              }
            />
            {editable && (
              <Button variant="secondary" size="sm" onClick={() => setEditing(true)}>
                基本情報を編集
              </Button>
            )}
            <HistoryLink entity="projects" id={project.id} />
          </>
        }
      />
      {!editable && <p className="no-print mb-3 text-sm text-solid-gray-700">閲覧のみ：{readOnlyReason(false, project)}。</p>}
      <div className="grid items-stretch gap-4 md:grid-cols-2">
        {BOXES.map(([field, label]) => (
          <section key={field} className="keep-together rounded-8 border border-solid-gray-420">
            <h2 className="rounded-t-8 border-b border-solid-gray-420 bg-solid-gray-100 px-4 py-1">{label}</h2>
            <div className="p-4">{prose(field, label)}</div>
          </section>
        ))}
      </div>
      <div className="mt-8 grid grid-cols-1 gap-8">
        <div className="grid items-start gap-8 lg:grid-cols-2">
          <section>
            <h2 className="mb-2">事業内容</h2>
            {prose("content", "事業内容")}
          </section>
          <section>
            <h2 className="mb-2">目的／期待効果・KPI</h2>
            {prose("aims", "目的／期待効果・KPI")}
          </section>
        </div>
        <section>
          <h2 className="mb-2">この事業のKPI</h2>
          <Kpis query={{ project_id: project.id }} year={project.fiscal_year} what="この事業" />
        </section>
        <VerificationPart project={project} editable={editable} />
        <SchedulesPart project={project} editable={editable} />
        <CostsPart project={project} />
        <MediaPart project={project} editable={editable} />
        {found > 0 && (
          <section>
            <h2 className="mb-2">指摘事項</h2>
            <Findings query={{ project_id: project.id }} />
          </section>
        )}
        <SectionsPart project={project} editable={editable} />
        <Facts project={project} platform={platform?.name} />
      </div>
      {editing && <ProjectForm platformId={project.platform_id} year={project.fiscal_year} project={project} onClose={() => setEditing(false)} />}
    </>
  );
}

function Facts({ project, platform }: { project: Project; platform?: string }) {
  const { data: last } = $api.useQuery(
    "get",
    "/api/v1/projects/{project_id}",
    { params: { path: { project_id: project.predecessor_id ?? "" } } },
    { enabled: project.predecessor_id !== null },
  );
  const facts = [
    {
      term: "プラットフォーム",
      detail: project.platform_id && (
        <Link className="link" to="/platforms/$platformId" params={{ platformId: project.platform_id }} search={{ tab: "projects", fy: project.fiscal_year }}>
          {platform ?? "…"}
        </Link>
      ),
    },
    { term: "事業名称", detail: project.name },
    { term: "番号", detail: project.number },
    { term: "担当部局", detail: project.lead_department },
    {
      term: "前年度の事業",
      detail: last && (
        <Link className="link" to="/projects/$projectId" params={{ projectId: last.id }}>
          {fiscalYearLabel(last.fiscal_year)}　{last.name}
        </Link>
      ),
    },
    { term: "公開範囲", detail: VISIBILITIES[project.visibility] },
  ];
  return (
    <section>
      <h2 className="mb-2">基本情報</h2>
      <dl className="grid gap-x-8 gap-y-2 rounded-8 border border-solid-gray-420 p-4 md:grid-cols-2">
        {facts.map(({ term, detail }) => (
          <div key={term} className="grid grid-cols-[9rem_1fr] gap-x-3">
            <dt className="font-bold">{term}</dt>
            <dd className="min-w-0">{detail || <span className="text-solid-gray-700">なし</span>}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
