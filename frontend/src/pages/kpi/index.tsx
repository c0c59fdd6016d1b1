import { EmptyState, PageHeader } from "../../ui";

export default function KpiPage() {
  return (
    <>
      <PageHeader title="KPI" breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "KPI", href: "/kpis" }, { label: "KPI" }]} />
      <EmptyState title="表示する値がまだありません">値と目標の推移がここに表示されます。</EmptyState>
    </>
  );
}
