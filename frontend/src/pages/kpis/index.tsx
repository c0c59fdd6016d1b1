import { EmptyState, PageHeader } from "../../ui";

export default function KpisPage() {
  return (
    <>
      <PageHeader title="KPI" breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "KPI" }]} />
      <EmptyState title="この年度のKPIはありません">年度を切り替えるか、KPIを登録してください。</EmptyState>
    </>
  );
}
