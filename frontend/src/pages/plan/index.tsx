import { EmptyState, PageHeader } from "../../ui";

export default function PlanPage() {
  return (
    <>
      <PageHeader title="実施計画ロードマップ" breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "計画・ロードマップ", href: "/plans" }, { label: "実施計画ロードマップ" }]} />
      <EmptyState title="表示する内容がまだありません">目標ごとの取り組みと実績がここに表示されます。</EmptyState>
    </>
  );
}
