import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { administers, may, useIdentity, type Identity } from "../../api";
import { PageHeader } from "../../ui";

const accounts = (identity: Identity) => administers(identity) !== undefined;
const systems = (identity: Identity) => may(identity, "clients", "create");

const PAGES = [
  { to: "/admin/users", label: "利用者と役割", allowed: accounts },
  { to: "/admin/organizations", label: "団体", allowed: accounts },
  { to: "/admin/clients", label: "連携システム", allowed: systems },
  { to: "/admin/webhooks", label: "変更の通知", allowed: systems },
] as const;

/** Head of the pages of administration, with the way from each to the others. */
export function AdminHeader({ title, lead, actions }: { title: string; lead: ReactNode; actions?: ReactNode }) {
  const identity = useIdentity();
  const pages = PAGES.filter(({ allowed }) => identity && allowed(identity));
  return (
    <>
      <PageHeader title={title} breadcrumbs={[{ label: "ホーム", href: "/" }, ...(pages[0] ? [{ label: "管理", href: pages[0].to }] : []), { label: title }]} lead={lead} actions={actions} />
      {pages.length > 0 && (
        <nav aria-label="管理のメニュー" className="no-print mb-4 border-b border-solid-gray-420">
          <ul className="flex flex-wrap gap-x-1">
            {pages.map(({ to, label }) => (
              <li key={to}>
                <Link
                  to={to}
                  className="block border-b-4 border-transparent px-4 py-2 hover:bg-key-50 hover:underline aria-[current]:border-key-900 aria-[current]:font-bold aria-[current]:text-key-900"
                  activeProps={{ "aria-current": "page" }}
                >
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
      )}
    </>
  );
}

export function useAdministration() {
  const identity = useIdentity();
  const extent = administers(identity);
  return { identity, everywhere: extent === "everywhere", administers: extent !== undefined };
}
