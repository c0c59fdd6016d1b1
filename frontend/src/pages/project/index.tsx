import { EmptyState, PageHeader } from "../../ui";

export default function ProjectPage() {
  return (
    <>
      <PageHeader title="事業" breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "プラットフォーム", href: "/platforms" }, { label: "事業" }]} />
      <EmptyState title="表示する内容がまだありません">事業のねらい、実施時期、結果がここに表示されます。</EmptyState>
    </>
  );
}
