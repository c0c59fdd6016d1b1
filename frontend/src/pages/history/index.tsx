import { EmptyState, PageHeader } from "../../ui";

export default function HistoryPage() {
  return (
    <>
      <PageHeader title="変更履歴" breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "変更履歴" }]} />
      <EmptyState title="変更はまだありません">このデータを変更すると、だれが、いつ、何を変えたかがここに表示されます。</EmptyState>
    </>
  );
}
