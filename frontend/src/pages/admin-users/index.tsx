import { EmptyState, PageHeader } from "../../ui";

export default function AdminUsersPage() {
  return (
    <>
      <PageHeader title="利用者の管理" breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "利用者の管理" }]} />
      <EmptyState title="利用者はまだ登録されていません">利用者を登録すると、ここに表示されます。</EmptyState>
    </>
  );
}
