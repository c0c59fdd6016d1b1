import { EmptyState, PageHeader } from "../../ui";

export default function PlatformsPage() {
  return (
    <>
      <PageHeader title="プラットフォーム" breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "プラットフォーム" }]} />
      <EmptyState title="この年度のプラットフォームはありません">年度を切り替えるか、プラットフォームを登録してください。</EmptyState>
    </>
  );
}
