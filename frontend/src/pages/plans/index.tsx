import { EmptyState, PageHeader } from "../../ui";

export default function PlansPage() {
  return (
    <>
      <PageHeader title="計画・ロードマップ" breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "計画・ロードマップ" }]} />
      <EmptyState title="この年度の計画はありません">年度を切り替えるか、計画を登録してください。</EmptyState>
    </>
  );
}
