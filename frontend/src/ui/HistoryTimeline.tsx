import type { ReactNode } from "react";
import { formatInstant } from "../lib/date";

export interface HistoryChange {
  field: string;
  /** Null or empty: the field had no value. */
  from: ReactNode;
  to: ReactNode;
}

export interface HistoryEntry {
  id: string;
  /** RFC 3339 */
  at: string;
  by: string;
  organization?: string;
  /** What was done: 作成, 変更, 確定の解除. */
  action: string;
  changes: readonly HistoryChange[];
  reason?: string;
  /** Where the record can be seen as it was then. */
  link?: ReactNode;
}

const empty = (value: ReactNode) => value === null || value === undefined || value === "";

function Value({ children }: { children: ReactNode }) {
  return empty(children) ? <span className="text-solid-gray-700">（空欄）</span> : <span className="whitespace-pre-wrap">{children}</span>;
}

/** Who changed what, when, from what to what, and why. */
export function HistoryTimeline({ entries }: { entries: readonly HistoryEntry[] }) {
  return (
    <ol className="border-s-4 border-solid-gray-200 ps-5">
      {entries.map((entry) => (
        <li key={entry.id} className="keep-together mb-6">
          <p>
            <time dateTime={entry.at} className="font-bold">
              {formatInstant(entry.at)}
            </time>
            <span className="ms-3">
              {entry.organization && `${entry.organization}　`}
              {entry.by}
            </span>
            <span className="ms-3 rounded-4 border border-solid-gray-600 px-2 text-sm">{entry.action}</span>
            {entry.link && <span className="no-print ms-3">{entry.link}</span>}
          </p>
          {entry.reason && <p className="mt-1">理由：{entry.reason}</p>}
          <dl className="mt-2 grid gap-2">
            {entry.changes.map((change) => (
              <div key={change.field} className="rounded-8 bg-solid-gray-50 px-3 py-2">
                <dt className="font-bold">{change.field}</dt>
                <dd className="grid gap-x-3 md:grid-cols-[1fr_auto_1fr]">
                  <span>
                    <span className="me-1 text-sm text-solid-gray-700">変更前</span>
                    <Value>{change.from}</Value>
                  </span>
                  <span aria-hidden="true">→</span>
                  <span>
                    <span className="me-1 text-sm text-solid-gray-700">変更後</span>
                    <Value>{change.to}</Value>
                  </span>
                </dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ol>
  );
}
