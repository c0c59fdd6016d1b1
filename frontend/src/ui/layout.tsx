import { Link } from "@tanstack/react-router";
import { useEffect, useId, useRef, type KeyboardEvent, type ReactNode } from "react";
import { Button } from "./Button";
import { PastButton } from "./Past";

export interface Crumb {
  label: string;
  /** Address of the page; the last crumb, the page itself, has none. */
  href?: string;
}

export function Breadcrumbs({ items }: { items: readonly Crumb[] }) {
  return (
    <nav aria-label="現在位置" className="no-print">
      <ol className="flex flex-wrap gap-x-2 text-sm">
        {items.map(({ label, href }, index) => (
          <li key={`${index}${label}`} className="flex gap-x-2">
            {index > 0 && <span aria-hidden="true">＞</span>}
            {href ? (
              <Link to={href} className="link">
                {label}
              </Link>
            ) : (
              <span aria-current="page">{label}</span>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}

export interface PageHeaderProps {
  title: string;
  breadcrumbs?: readonly Crumb[];
  /** Beside the title: a status badge, the fiscal year. */
  meta?: ReactNode;
  /** Under the title: what the page is for, one sentence. */
  lead?: ReactNode;
  /** Buttons at the right; 印刷 is added with `printable`. */
  actions?: ReactNode;
  printable?: boolean;
  /** The page can show the records as of a past day. */
  past?: boolean;
}

/** The head of every page; also sets the title of the document. */
export function PageHeader({ title, breadcrumbs, meta, lead, actions, printable, past }: PageHeaderProps) {
  useEffect(() => {
    document.title = `${title}｜つなぎ`;
  }, [title]);
  return (
    <div className="mb-4">
      {breadcrumbs && <Breadcrumbs items={breadcrumbs} />}
      <div className="mt-1 flex flex-wrap items-start justify-between gap-x-6 gap-y-3">
        <div className="min-w-0 shrink grow basis-96">
          <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
            <h1>{title}</h1>
            {meta}
          </div>
          {lead && <p className="mt-1 text-solid-gray-700">{lead}</p>}
        </div>
        <div className="no-print flex flex-wrap gap-2">
          {actions}
          {past && <PastButton />}
          {printable && (
            <Button variant="secondary" size="sm" onClick={() => window.print()}>
              印刷
            </Button>
          )}
        </div>
      </div>
    </div>
  );
}

/** Who changed this record, when, what and why. `name` is for readers who hear it among other links. */
export function HistoryLink({ entity, id, name, children = "変更の履歴" }: { entity: string; id: string; name?: string; children?: string }) {
  return (
    <Link className="link no-print self-center px-2 py-1" to="/history/$entity/$id" params={{ entity, id }} aria-label={name && `${name}の${children}`}>
      {children}
    </Link>
  );
}

export interface TabItem {
  id: string;
  label: ReactNode;
  content: ReactNode;
}

/** Panes of one page; keep `selected` in the address: `const [tab = "members", setTab] = useSearchParam("tab")`. */
export function Tabs({ label, tabs, selected, onSelect }: { label: string; tabs: readonly TabItem[]; selected: string; onSelect: (id: string) => void }) {
  const prefix = useId();
  const list = useRef<HTMLDivElement>(null);
  const chosen = tabs.find((tab) => tab.id === selected) ?? tabs[0];
  const move = (event: KeyboardEvent) => {
    const index = tabs.findIndex((tab) => tab.id === chosen?.id);
    const target = { ArrowRight: index + 1, ArrowLeft: index - 1, Home: 0, End: tabs.length - 1 }[event.key];
    const next = target === undefined ? undefined : tabs[(target + tabs.length) % tabs.length];
    if (!next) return;
    event.preventDefault();
    onSelect(next.id);
    list.current?.querySelector<HTMLElement>(`[data-tab="${next.id}"]`)?.focus();
  };
  return (
    <div>
      <div ref={list} role="tablist" aria-label={label} className="no-print flex flex-wrap gap-x-1 border-b border-solid-gray-420">
        {tabs.map((tab) => {
          const current = tab.id === chosen?.id;
          return (
            <button
              key={tab.id}
              type="button"
              role="tab"
              id={`${prefix}-${tab.id}`}
              data-tab={tab.id}
              aria-selected={current}
              aria-controls={current ? `${prefix}-${tab.id}-panel` : undefined}
              tabIndex={current ? 0 : -1}
              onClick={() => onSelect(tab.id)}
              onKeyDown={move}
              className={`min-h-11 border-b-4 px-4 py-2 ${current ? "border-key-900 font-bold text-key-900" : "border-transparent hover:bg-key-50 hover:underline"}`}
            >
              {tab.label}
            </button>
          );
        })}
      </div>
      {chosen && (
        <div role="tabpanel" id={`${prefix}-${chosen.id}-panel`} aria-labelledby={`${prefix}-${chosen.id}`} className="pt-4">
          {chosen.content}
        </div>
      )}
    </div>
  );
}

/** The end of a keyset list: how many are shown, and the next page. */
export function LoadMore({ shown, hasMore, busy, onMore }: { shown: number; hasMore: boolean; busy?: boolean; onMore: () => void }) {
  return (
    <div className="mt-3 flex flex-wrap items-center gap-4">
      <p role="status">{hasMore ? `${shown}件まで表示しています。` : `全${shown}件を表示しています。`}</p>
      {hasMore && (
        <Button className="no-print" variant="secondary" size="sm" busy={busy} onClick={onMore}>
          もっと読み込む
        </Button>
      )}
    </div>
  );
}
