import { Link, useLocation } from "@tanstack/react-router";
import { useState, type ReactNode } from "react";
import { isApiError, signOut, type Identity } from "../api";
import { formatDate, todayInJapan } from "../lib/date";
import { clearDrafts, countDrafts } from "../lib/drafts";
import { Button, ConfirmDialog, FiscalYearSwitch, Notice } from "../ui";

/** `section`: the addresses under which the entry is marked as the current one. */
const NAVIGATION = [
  { to: "/", label: "ホーム", section: /^\/$/ },
  { to: "/platforms", label: "プラットフォーム", section: /^\/(platforms|projects)(\/|$)/ },
  { to: "/plans", label: "計画・ロードマップ", section: /^\/plans(\/|$)/ },
  { to: "/kpis", label: "KPI", section: /^\/kpis(\/|$)/ },
  { to: "/admin/users", label: "管理", section: /^\/admin\// },
] as const;

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
            ▲ デモ環境です。実際の業務の情報や個人情報を入力しないでください。多要素認証は無効になっています。
          </p>
        )}
        <div className="mx-auto flex max-w-[100rem] flex-wrap items-center justify-between gap-x-6 gap-y-2 px-6 py-2">
          <Link to="/" className="flex items-baseline gap-2 py-1 text-key-900">
            <span className="text-2xl font-bold">つなぎ</span>
            <span className="text-sm text-solid-gray-700">地域福祉の連携記録</span>
          </Link>
          <div className="flex flex-wrap items-center gap-x-6 gap-y-2">
            <FiscalYearSwitch />
            <UserMenu identity={identity} />
          </div>
        </div>
        <nav aria-label="メインメニュー" className="mx-auto max-w-[100rem] px-6">
          <ul className="flex flex-wrap gap-x-1">
            {NAVIGATION.map(({ to, label, section }) => (
              <li key={to}>
                <Link
                  to={to}
                  aria-current={section.test(pathname) ? "true" : undefined}
                  className="block border-b-4 border-transparent px-4 py-2 hover:bg-key-50 hover:underline aria-[current]:border-key-900 aria-[current]:font-bold aria-[current]:text-key-900"
                >
                  {label}
                </Link>
              </li>
            ))}
          </ul>
        </nav>
      </header>
      <p className="hidden justify-between text-sm print:flex">
        <span>{identity.organization_name}</span>
        <span>{formatDate(todayInJapan())}　印刷</span>
      </p>
      <main id="main" tabIndex={-1} className="mx-auto max-w-[100rem] px-6 py-6 outline-none print:p-0">
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
      <p className="max-w-80 text-end text-sm leading-[1.4]">
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
