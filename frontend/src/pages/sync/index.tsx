import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { client, may, useIdentity, usePages } from "../../api";
import { formatInstant } from "../../lib/date";
import { Button, EmptyState, LoadMore, NoPermissionState, PageHeader, QueryView, Table } from "../../ui";
import { ImportDialog } from "./ImportDialog";
import { COUNTS, KINDS, STATES, verdict } from "./words";

const HEAD = { title: "同期の記録", breadcrumbs: [{ label: "ホーム", href: "/" }, { label: "同期の記録" }] };

/** What systems and files have written: who, when, how many, and what a person has to look at. */
export default function SyncPage() {
  const identity = useIdentity();
  const [importing, setImporting] = useState(false);
  const allowed = may(identity, "sync_runs", "read");
  const add = may(identity, "imports", "create") && <Button onClick={() => setImporting(true)}>ファイルを取り込む</Button>;
  return (
    <>
      <PageHeader {...HEAD} lead="連携システムやファイルから書き込んだ記録です。400日間残ります。" actions={add} />
      {allowed ? <Runs /> : <NoPermissionState what="同期の記録" />}
      {importing && <ImportDialog onClose={() => setImporting(false)} />}
    </>
  );
}

function Runs() {
  const runs = usePages(["sync-runs"], (after) => client.GET("/api/v1/sync-runs", { params: { query: { limit: 50, after } } }).then(({ data }) => data ?? { items: [] }));
  return (
    <QueryView query={runs} what="同期の記録">
      {(rows) =>
        rows.length === 0 ? (
          <EmptyState title="同期の記録はまだありません">連携システムが送信するか、ファイルを取り込むと、ここに結果が残ります。</EmptyState>
        ) : (
          <>
            <Table
              caption="同期の記録の一覧"
              captionHidden
              dense
              rows={rows}
              rowKey={({ id }) => id}
              columns={[
                {
                  key: "begun",
                  header: "日時",
                  rowHeader: true,
                  width: "12rem",
                  cell: (run) => (
                    <Link className="link" to="/sync/$runId" params={{ runId: run.id }}>
                      {formatInstant(run.begun_at)}
                    </Link>
                  ),
                },
                { key: "who", header: "実行した人・システム", width: "12rem", cell: (run) => run.actor_name },
                { key: "what", header: "内容", width: "16rem", cell: (run) => [KINDS[run.kind], run.file_name].filter(Boolean).join("：") },
                { key: "state", header: "状態", width: "10rem", cell: (run) => [STATES[run.state], verdict(run)].filter(Boolean).join(" ") },
                ...COUNTS.map(([outcome, word]) => ({ key: outcome, header: word, number: true, width: "5rem", cell: (run: (typeof rows)[number]) => run.counts[outcome].toLocaleString("ja-JP") })),
              ]}
            />
            <LoadMore {...runs.more} />
          </>
        )
      }
    </QueryView>
  );
}
