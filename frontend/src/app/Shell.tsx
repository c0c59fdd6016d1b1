import { Link, useLocation } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { administers, isApiError, may, signOut, type Identity } from "../api";
import { formatDate, todayInJapan } from "../lib/date";
import { clearDrafts, countDrafts } from "../lib/drafts";
import { Button, ConfirmDialog, FiscalYearSwitch, Notice } from "../ui";

/** `section`: the addresses under which the entry is marked as the current one. */
const NAVIGATION: { to: string; label: string; section: RegExp; allowed?: (identity: Identity) => boolean }[] = [
  { to: "/", label: "ホーム", section: /^\/$/ },
  { to: "/platforms", label: "プラットフォーム", section: /^\/(platforms|projects)(\/|$)/ },
  { to: "/plans", label: "計画・ロードマップ", section: /^\/plans(\/|$)/ },
  { to: "/kpis", label: "KPI", section: /^\/kpis(\/|$)/ },
  { to: "/sync", label: "同期", section: /^\/sync(\/|$)/, allowed: (identity: Identity) => may(identity, "sync_runs", "read") },
  { to: "/admin/users", label: "管理", section: /^\/admin\//, allowed: (identity: Identity) => administers(identity) !== undefined || identity.role === "auditor" },
  // Whoever looks after systems only.
  { to: "/admin/clients", label: "管理", section: /^\/admin\//, allowed: (identity: Identity) => administers(identity) === undefined && may(identity, "clients", "create") },
];

export function Shell({ identity, children }: { identity: Identity; children: ReactNode }) {
  const { pathname } = useLocation();
  return (
    <>
      <a href="#main" className="sr-only focus:not-sr-only focus:absolute focus:z-20 focus:m-2 focus:bg-white focus:p-3">
        本文へ移動
      </a>
      <header className="no-print border-b border-solid-gray-420">
        {identity.demo && (
          <p className="bg-solid-gray-900 px-6 py-1 text-center text-sm font-bold text-white">
            ▲ デモ環境です。実際の業務の情報や個人情報を入力しないでください。多要素認証は使いません。
          </p>
        )}
        <div className="mx-auto flex max-w-[100rem] flex-wrap items-center gap-x-4 px-6">
          <Link to="/" className="py-2 text-2xl font-bold text-key-900">
            つなぎ
          </Link>
          <nav aria-label="メインメニュー" className="grow self-end">
            <ul className="flex flex-wrap">
              {NAVIGATION.filter(({ allowed }) => allowed?.(identity) ?? true).map(({ to, label, section }) => (
                <li key={to}>
                  <Link
                    to={to}
                    aria-current={section.test(pathname) ? "true" : undefined}
                    className="block border-b-4 border-transparent px-3 pt-4 pb-3 hover:bg-key-50 hover:underline aria-[current]:border-key-900 aria-[current]:font-bold aria-[current]:text-key-900 max-lg:px-2 max-lg:py-1"
                  >
                    {label}
                  </Link>
                </li>
              ))}
            </ul>
          </nav>
          <div className="ms-auto flex flex-wrap items-center gap-x-4 gap-y-1 py-1">
            <FiscalYearSwitch />
            <UserMenu identity={identity} />
          </div>
        </div>
      </header>
      <p className="hidden justify-between text-sm print:flex">
        <span>{identity.organization_name}</span>
        <span>{formatDate(todayInJapan())}　印刷</span>
      </p>
      <main id="main" tabIndex={-1} className="mx-auto max-w-[100rem] px-6 pt-3 pb-8 outline-none print:p-0">
        {children}
      </main>
    </>
  );
}

function UserMenu({ identity }: { identity: Identity }) {
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<string>();

  const leave = async () => {
    setBusy(true);
    setError(undefined);
    try {
      await signOut();
      clearDrafts();
    } catch (failure) {
      setError(isApiError(failure) ? failure.message : "サインアウトできませんでした。");
    } finally {
      setBusy(false);
      setAsking(false);
    }
  };

  return (
    <div className="flex flex-wrap items-center gap-x-3">
      <p className="max-w-40 text-end text-sm leading-[1.4]">
        {identity.organization_name}
        <span className="block font-bold">{identity.name}</span>
      </p>
      <Button variant="secondary" size="sm" busy={busy} onClick={() => (countDrafts() > 0 ? setAsking(true) : void leave())}>
        サインアウト
      </Button>
      {error && (
        <Notice tone="error" live>
          {error}
        </Notice>
      )}
      <ConfirmDialog
        open={asking}
        title="保存されていない入力があります"
        confirmLabel="破棄してサインアウトする"
        variant="danger"
        busy={busy}
        onConfirm={() => void leave()}
        onClose={() => setAsking(false)}
      >
        <p>まだ保存されていない入力が{countDrafts()}件あります。サインアウトすると、この入力は失われます。</p>
      </ConfirmDialog>
    </div>
  );
}
