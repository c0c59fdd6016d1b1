import { EmptyState, PageHeader } from "../../ui";

export default function PlatformPage() {
  return (
    <>
      <PageHeader title="プラットフォーム" breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "プラットフォーム", href: "/platforms" }, { label: "プラットフォーム" }]} />
      <EmptyState title="表示する内容がまだありません">メンバー、事業、年度の記録がここに表示されます。</EmptyState>
    </>
  );
}
