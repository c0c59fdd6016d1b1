import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { $api, client, isApiError, mayEdit, useIdentity } from "../../api";
import { fiscalYearLabel, wafuFiscalYear } from "../../lib/date";
import { Button, EmptyState, HistoryLink, PageHeader, QueryView, StatusBadge, Tabs, useFiscalYear, useSearchParam } from "../../ui";
import { VISIBILITIES } from "../kpi/words";
import { Breakthrough } from "./Breakthrough";
import { Findings, useFindings } from "./Findings";
import { Kpis } from "./Kpis";
import { Members } from "./Members";
import { MunicipalityNames } from "./Municipalities";
import { PlatformForm } from "./PlatformForm";
import { Projects } from "./Projects";
import { StatusActions } from "./StatusActions";
import { Story } from "./Story";
import { kindOf, LAUNCH_STATES, type Launch, type Platform } from "./words";

const route = getRouteApi("/platforms/$platformId");

export default function PlatformPage() {
  const { platformId } = route.useParams();
  const platform = $api.useQuery("get", "/api/v1/platforms/{platform_id}", { params: { path: { platform_id: platformId } } });
  const crumbs = [{ label: "ホーム", href: "/" }, { label: "プラットフォーム", href: "/platforms" }];
  if (isApiError(platform.error) && platform.error.status === 404) {
    return (
      <>
        <PageHeader title="プラットフォームが見つかりません" breadcrumbs={[...crumbs, { label: "見つかりません" }]} />
        <EmptyState
          title="このプラットフォームは表示できません"
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
      {!platform.data && <PageHeader title="プラットフォーム" breadcrumbs={[...crumbs, { label: "…" }]} />}
      <QueryView query={platform} what="プラットフォーム">
        {(data) => <PlatformView key={data.id} platform={data} />}
      </QueryView>
    </>
  );
}

function PlatformView({ platform }: { platform: Platform }) {
  const identity = useIdentity();
  const year = useFiscalYear();
  const [tab = "story", setTab] = useSearchParam("tab");
  const [editing, setEditing] = useState(false);
  const editor = mayEdit(identity, "platforms", platform);
  const open = useFindings({ platform_id: platform.id }).data?.items.filter(({ state }) => state === "open").length ?? 0;
  return (
    <>
      <PageHeader
        title={platform.name}
        breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "プラットフォーム", href: "/platforms" }, { label: platform.name }]}
        meta={
          <>
            <StatusBadge status={platform.status} />
            <span>{kindOf(platform)}</span>
          </>
        }
        printable
        past
        actions={
          <>
            <StatusActions
              resource="platforms"
              record={platform}
              what={platform.name}
              send={(status, header) =>
                client.POST("/api/v1/platforms/{platform_id}/transition", { params: { path: { platform_id: platform.id }, header }, body: { status } })
              }
            />
            {editor && (
              <Button variant="secondary" size="sm" onClick={() => setEditing(true)}>
                基本情報を編集
              </Button>
            )}
            <HistoryLink entity="platforms" id={platform.id} />
          </>
        }
      />
      <Facts platform={platform} />
      <h2 className="mb-1 mt-4">{fiscalYearLabel(year)}</h2>
      <Tabs
        label="プラットフォームの内容"
        selected={tab}
        onSelect={setTab}
        tabs={[
          { id: "story", label: "概要・物語", content: <Story platform={platform} /> },
          { id: "breakthrough", label: "ブレイクスルー要因", content: <Breakthrough platform={platform} /> },
          { id: "members", label: "メンバー", content: <Members platform={platform} /> },
          { id: "projects", label: "事業", content: <Projects platform={platform} /> },
          { id: "kpis", label: "KPI", content: <Kpis query={{ platform_id: platform.id }} year={year} what="このプラットフォーム" /> },
          { id: "findings", label: open > 0 ? `指摘事項（未確認${open}件）` : "指摘事項", content: <Findings query={{ platform_id: platform.id }} /> },
        ]}
      />
      {editing && <PlatformForm platform={platform} onClose={() => setEditing(false)} />}
    </>
  );
}

/** 令和4年度, 広域：令和6年度, 未（代替あり）：相談支援包括化推進会議が代わりを担う */
function launchWords({ state, scope, fiscal_year: year, substituted_by: by }: Launch) {
  const head = scope ? `${scope}：` : "";
  if (state === "substituted") return `${head}${LAUNCH_STATES.substituted}${by ? `：「${by}」が役割を担います` : ""}`;
  return `${head}${state === "established" && year ? wafuFiscalYear(year) : LAUNCH_STATES[state]}`;
}

function Facts({ platform }: { platform: Platform }) {
  const { data: parent } = $api.useQuery(
    "get",
    "/api/v1/platforms/{platform_id}",
    { params: { path: { platform_id: platform.parent_id ?? "" } } },
    { enabled: platform.parent_id !== null },
  );
  const { data: owner } = $api.useQuery("get", "/api/v1/organizations/{organization_id}", { params: { path: { organization_id: platform.owner_org_id } } });
  const facts = [
    {
      term: "立ち上げ",
      detail:
        platform.launches.length > 0 &&
        platform.launches.map((launch, index) => (
          <span key={index} className="block">
            {launchWords(launch)}
          </span>
        )),
    },
    { term: "担当部局", detail: platform.lead_department },
    {
      term: "区域",
      detail: (
        <>
          {platform.area_name && <span className="block">{platform.area_name}</span>}
          <MunicipalityNames codes={platform.municipality_codes} />
          {platform.districts.length > 0 && <span className="block">地区：{platform.districts.join("、")}</span>}
        </>
      ),
    },
    { term: "所有する組織", detail: owner?.name },
    ...(platform.parent_id
      ? [
          {
            term: "上位の会議体",
            detail: parent && (
              <Link className="link" to="/platforms/$platformId" params={{ platformId: parent.id }}>
                {parent.name}
              </Link>
            ),
          },
        ]
      : []),
    { term: "公開範囲", detail: VISIBILITIES[platform.visibility] },
  ];
  return (
    <>
      {platform.summary && <p className="mb-3 whitespace-pre-wrap">{platform.summary}</p>}
      <dl className="gap-8 rounded-8 border border-solid-gray-420 px-4 py-3 text-sm md:columns-2 lg:columns-3">
        {facts.map(({ term, detail }) => (
          <div key={term} className="grid break-inside-avoid grid-cols-[6.5rem_1fr] gap-x-3 py-0.5">
            <dt className="font-bold">{term}</dt>
            <dd className="min-w-0">{detail || <span className="text-solid-gray-700">未入力</span>}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}
