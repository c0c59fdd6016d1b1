import { EmptyState, PageHeader } from "../../ui";

export default function AdminOrganizationsPage() {
  return (
    <>
      <PageHeader title="組織の管理" breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "組織の管理" }]} />
      <EmptyState title="組織はまだ登録されていません">組織を登録すると、ここに表示されます。</EmptyState>
    </>
  );
}
