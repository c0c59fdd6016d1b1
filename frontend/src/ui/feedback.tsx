import { useEffect, useRef, useState, type ReactNode } from "react";
import { Button } from "./Button";

type Tone = "info" | "success" | "warning" | "error";

/** Word and sign together carry the meaning; the colour only repeats it. */
const TONES: Record<Tone, { sign: string; word: string; box: string; head: string }> = {
  info: { sign: "ⓘ", word: "お知らせ", box: "border-key-900", head: "text-key-900" },
  success: { sign: "✓", word: "完了", box: "border-success-2", head: "text-success-2" },
  warning: { sign: "▲", word: "注意", box: "border-warning-orange-2", head: "text-warning-orange-2" },
  error: { sign: "✕", word: "エラー", box: "border-error-1", head: "text-error-1" },
};

export interface NoticeProps {
  tone?: Tone;
  title?: ReactNode;
  children?: ReactNode;
  actions?: ReactNode;
  /** Read out as soon as it appears: for what happened after the reader's own action. */
  live?: boolean;
}

export function Notice({ tone = "info", title, children, actions, live }: NoticeProps) {
  const { sign, word, box, head } = TONES[tone];
  return (
    <div
      className={`keep-together rounded-8 border-2 border-s-8 bg-white px-4 py-3 ${box}`}
      role={live ? (tone === "error" ? "alert" : "status") : undefined}
    >
      <p className={`font-bold ${head}`}>
        <span aria-hidden="true">{sign}</span> {word}
        {title && <span className="text-solid-gray-900">：{title}</span>}
      </p>
      {children && <div>{children}</div>}
      {actions && <div className="no-print mt-2 flex flex-wrap gap-2">{actions}</div>}
    </div>
  );
}

/** All field errors at the top of a form, as links to their fields; takes the focus when it appears. */
export function ErrorSummary({ errors }: { errors: readonly { fieldId: string; message: string }[] }) {
  const box = useRef<HTMLDivElement>(null);
  const key = errors.map((error) => error.message).join("\n");
  useEffect(() => {
    if (key) box.current?.focus();
  }, [key]);
  if (errors.length === 0) return null;
  return (
    <div ref={box} tabIndex={-1} role="alert">
      <Notice tone="error" title={`${errors.length}か所を確認してください`}>
        <ul className="ms-6 list-disc">
          {errors.map(({ fieldId, message }) => (
            <li key={`${fieldId}${message}`}>
              <a
                className="link"
                href={`#${fieldId}`}
                onClick={(event) => {
                  event.preventDefault();
                  document.getElementById(fieldId)?.focus();
                }}
              >
                {message}
              </a>
            </li>
          ))}
        </ul>
      </Notice>
    </div>
  );
}

/** There is nothing here: says why, and what to do next. */
export function EmptyState({ title, children, actions }: { title: string; children?: ReactNode; actions?: ReactNode }) {
  return (
    <div className="rounded-12 border border-dashed border-solid-gray-536 px-6 py-5 text-center">
      <p className="text-lg font-bold">{title}</p>
      {children && <div className="text-solid-gray-700">{children}</div>}
      {actions && <div className="no-print mt-4 flex flex-wrap justify-center gap-2">{actions}</div>}
    </div>
  );
}

/** The parts of an error this layer can show; the API's errors have them, any other error may. */
interface ShownError {
  message?: string;
  status?: number;
  requestId?: string;
}

export function ErrorState({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { message, status, requestId } = (error ?? {}) as ShownError;
  const text = status === undefined ? "画面の表示中に問題が起きました。ページを再読み込みしてください。" : message;
  return (
    <Notice
      tone="error"
      live
      title="表示できませんでした"
      actions={
        onRetry && (
          <Button variant="secondary" size="sm" onClick={onRetry}>
            もう一度読み込む
          </Button>
        )
      }
    >
      <p>{text}</p>
      {requestId && (
        <p className="text-sm text-solid-gray-700">
          問い合わせ番号：<span className="select-all">{requestId}</span>
        </p>
      )}
    </Notice>
  );
}

export function NoPermissionState({ what = "この画面" }: { what?: string }) {
  return (
    <Notice tone="warning" title={`${what}を閲覧する権限がありません`}>
      <p>必要な場合は、所属する組織の管理者に、お名前と用件を添えて権限の付与をご依頼ください。</p>
    </Notice>
  );
}

/** Shown only when the wait is long enough to be noticed: a flash of grey is worse than 0.3 s of nothing. */
export function Loading({ label = "読み込んでいます", lines = 3 }: { label?: string; lines?: number }) {
  const [visible, setVisible] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setVisible(true), 300);
    return () => clearTimeout(timer);
  }, []);
  return (
    <div aria-busy="true" role="status" className="min-h-24">
      {visible && (
        <>
          <p>{label}…</p>
          {Array.from({ length: lines }, (_, index) => (
            <div key={index} className="my-3 h-5 animate-pulse rounded-4 bg-solid-gray-200" style={{ width: `${92 - index * 14}%` }} />
          ))}
        </>
      )}
    </div>
  );
}

interface QueryLike<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

/**
 * The four states of a screen around a query: loading, error with retry, no permission, and the
 * data. Data that is already there stays visible when a refresh fails.
 */
export function QueryView<T>({ query, what, children }: { query: QueryLike<T>; what?: string; children: (data: T) => ReactNode }) {
  if (query.data !== undefined) return <>{children(query.data)}</>;
  if (query.isPending) return <Loading label={what && `${what}を読み込んでいます`} />;
  if ((query.error as ShownError | null)?.status === 403) return <NoPermissionState what={what} />;
  return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
}

export type LifeCycle = "draft" | "submitted" | "returned" | "confirmed" | "published";

const STATUSES: Record<LifeCycle, { sign: string; word: string; look: string }> = {
  draft: { sign: "✎", word: "作成中", look: "border-dashed border-solid-gray-700 bg-white text-solid-gray-900" },
  submitted: { sign: "▷", word: "提出済", look: "border-key-900 bg-white text-key-900" },
  returned: { sign: "↩", word: "差戻し", look: "border-error-2 border-double border-4 bg-white text-error-2" },
  confirmed: { sign: "✓", word: "確定", look: "border-success-2 bg-white text-success-2" },
  published: { sign: "◎", word: "公表", look: "border-solid-gray-900 bg-solid-gray-900 text-white" },
};

export function StatusBadge({ status }: { status: LifeCycle }) {
  const { sign, word, look } = STATUSES[status];
  return (
    <span className={`inline-flex items-center gap-1 whitespace-nowrap rounded-4 border-2 px-2 text-sm font-bold leading-[1.6] ${look}`}>
      <span aria-hidden="true">{sign}</span>
      {word}
    </span>
  );
}
