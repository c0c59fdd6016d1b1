import { Link } from "@tanstack/react-router";
import { useIdentity, type Identity } from "../../api";
import { fiscalYearLabel } from "../../lib/date";
import { PageHeader, useFiscalYear } from "../../ui";
import { DueKpis, DueRoadmap, Returned } from "./Due";
import { Machines } from "./Machines";
import { MyPlans, MyPlatforms } from "./Mine";

export default function HomePage() {
  const identity = useIdentity();
  const year = useFiscalYear();
  if (!identity) return null;
  const works = identity.organization_id !== null && !["analyst", "system_admin", "auditor"].includes(identity.role);
  return (
    <>
      <PageHeader title="ホーム" meta={<span>{fiscalYearLabel(year)}</span>} lead={leadOf(identity)} />
      {works && identity.organization_id ? (
        <Work organizationId={identity.organization_id} year={year} />
      ) : (
        <nav aria-label="主な画面" className="grid gap-4 md:grid-cols-2">
          {linksOf(identity.role).map(({ to, label, words, plain }) => (
            <div key={to} className="rounded-8 border border-solid-gray-420 p-4">
              {/* The documentation is the server's own page, not one of these screens. */}
              {plain ? (
                <a href={to} className="link text-lg font-bold">
                  {label}
                </a>
              ) : (
                <Link to={to} className="link text-lg font-bold">
                  {label}
                </Link>
              )}
              <p className="mt-1">{words}</p>
            </div>
          ))}
        </nav>
      )}
    </>
  );
}

function leadOf({ role, organization_name: organization }: Identity) {
  if (role === "system_admin") return "組織と利用者の管理を行います。記録の内容は閲覧できません。";
  if (role === "analyst") return "公表された記録と、閲覧を認められた記録を利用できます。";
  if (role === "auditor") return "記録の変更と利用者の権限を確認します。";
  return `${organization ?? "所属する組織"}の期限と、担当する連携の場です。`;
}

function linksOf(role: string): { to: string; label: string; words: string; plain?: boolean }[] {
  const records = [
    { to: "/kpis", label: "KPI", words: "値、目標、定義書を一覧します。" },
    { to: "/platforms", label: "プラットフォーム", words: "連携の場、参画メンバー、事業を閲覧します。" },
    { to: "/plans", label: "計画・ロードマップ", words: "計画と年度ごとの取り組みを閲覧します。" },
  ];
  const users = { to: "/admin/users", label: "利用者", words: "利用者と役割を確認します。" };
  if (role === "system_admin") return [{ to: "/admin/organizations", label: "組織", words: "組織を登録し、最初の管理者を作成します。" }, users];
  if (role === "auditor") return [users];
  return [...records, { to: "/api/docs/", label: "APIの説明", words: "データを取得する方法です。表計算や統計のソフトから利用できます。", plain: true }];
}

/** Most important first: what came back, what systems left to decide, what is late, what is missing; then where the work is done. */
function Work({ organizationId, year }: { organizationId: string; year: number }) {
  return (
    <div className="grid grid-cols-1 items-start gap-8 lg:grid-cols-[1fr_22rem]">
      <section aria-labelledby="due" className="min-w-0">
        <h2 id="due" className="mb-2">
          対応が必要なもの
        </h2>
        <div className="grid grid-cols-1 gap-5">
          <Returned organizationId={organizationId} />
          <Machines />
          <DueRoadmap organizationId={organizationId} />
          <DueKpis organizationId={organizationId} year={year} />
        </div>
      </section>
      <div className="grid grid-cols-1 gap-6">
        <MyPlatforms organizationId={organizationId} />
        <MyPlans organizationId={organizationId} year={year} />
      </div>
    </div>
  );
}
