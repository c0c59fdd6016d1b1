import { EmptyState, PageHeader } from "../../ui";

export default function HomePage() {
  return (
    <>
      <PageHeader title="ホーム" />
      <EmptyState title="やることはまだありません">所属するプラットフォームや計画の期限が近づくと、ここに表示されます。</EmptyState>
    </>
  );
}
