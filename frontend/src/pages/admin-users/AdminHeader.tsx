import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { may, useIdentity } from "../../api";
import { PageHeader } from "../../ui";

const PAGES = [
  { to: "/admin/users", label: "利用者と役割" },
  { to: "/admin/organizations", label: "団体" },
  { to: "/admin/clients", label: "連携システム" },
] as const;

/** Head of the three pages of administration, with the way from each to the others. */
export function AdminHeader({ title, lead, actions }: { title: string; lead: ReactNode; actions?: ReactNode }) {
  return (
    <>
      <PageHeader title={title} breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "管理", href: "/admin/users" }, { label: title }]} lead={lead} actions={actions} />
      <nav aria-label="管理のメニュー" className="no-print mb-6">
        <ul className="flex flex-wrap gap-x-6 gap-y-1">
          {PAGES.map(({ to, label }) => (
            <li key={to}>
              <Link to={to} className="link py-2" activeProps={{ className: "font-bold", "aria-current": "page" }}>
                {label}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
    </>
  );
}

/** An operator looks after all organisations, an administrator after the own one. */
export function useAdministration() {
  const identity = useIdentity();
  const everywhere = may(identity, "users", "create", { owner_org_id: "" });
  return { identity, everywhere, administers: everywhere || may(identity, "users", "create") };
}
