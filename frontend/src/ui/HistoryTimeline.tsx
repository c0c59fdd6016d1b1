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
  /** The record came into being or went: its content stands in one column. */
  whole?: "created" | "deleted";
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
        <li key={entry.id} className="mb-6">
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
          {entry.changes.length > 0 && (
            <table className="data-table dense mt-2 table-fixed">
              <thead>
                <tr>
                  <th scope="col" className="w-44">
                    項目
                  </th>
                  {entry.whole !== "created" && <th scope="col">{entry.whole === "deleted" ? "削除した内容" : "変更前"}</th>}
                  {entry.whole !== "deleted" && <th scope="col">{entry.whole === "created" ? "内容" : "変更後"}</th>}
                </tr>
              </thead>
              <tbody>
                {entry.changes.map((change) => (
                  <tr key={change.field}>
                    <th scope="row">{change.field}</th>
                    {entry.whole !== "created" && (
                      <td>
                        <Value>{change.from}</Value>
                      </td>
                    )}
                    {entry.whole !== "deleted" && (
                      <td>
                        <Value>{change.to}</Value>
                      </td>
                    )}
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </li>
      ))}
    </ol>
  );
}
