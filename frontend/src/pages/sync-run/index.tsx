import { useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { $api, client, isApiError, may, useIdentity, usePages, useWrite } from "../../api";
import { formatInstant } from "../../lib/date";
import { announce, Button, ConfirmDialog, LoadMore, Notice, PageHeader, QueryView, Table } from "../../ui";
import { ENTITIES } from "../history/words";
import { ImportDialog } from "../sync/ImportDialog";
import { COUNTS, KINDS, STATES, verdict, whoOf, type Row, type Run } from "../sync/words";
import { Conflict } from "./Conflict";

const route = getRouteApi("/sync/$runId");

/** One run: how many rows of each outcome, and what a person has to look at. */
export default function SyncRunPage() {
  const { runId } = route.useParams();
  const run = $api.useQuery(
    "get",
    "/api/v1/sync-runs/{sync_run_id}",
    { params: { path: { sync_run_id: runId } } },
    { refetchInterval: ({ state }) => (state.data && ["waiting", "running"].includes(state.data.state) ? 1000 : false) },
  );
  return (
    <QueryView query={run} what="同期の記録">
      {(data) => <RunView run={data} />}
    </QueryView>
  );
}

function RunView({ run }: { run: Run }) {
  const identity = useIdentity();
  const [again, setAgain] = useState(false);
  const open = ["waiting", "running"].includes(run.state);
  const left = run.counts.conflict + run.counts.error;
  const title = run.file_name ?? KINDS[run.kind];
  const facts = [formatInstant(run.begun_at), whoOf(run), STATES[run.state], verdict(run)].filter(Boolean).join("　");
  return (
    <>
      <PageHeader
        title={title}
        breadcrumbs={[{ label: "ホーム", href: "/" }, { label: "同期の記録", href: "/sync" }, { label: title }]}
        lead={facts}
        actions={<Actions run={run} onAgain={() => setAgain(true)} />}
      />
      <div className="grid gap-4">
        <p role="status">{open ? `${run.line.toLocaleString("ja-JP")}行目まで進みました。この画面を閉じても続きます。` : ""}</p>
        {run.problem && (
          <Notice tone="error" title="最後まで実行できませんでした">
            {problemText(run.problem)}
          </Notice>
        )}
        <Table
          caption="結果の件数"
          dense
          rows={[run]}
          rowKey={({ id }) => id}
          columns={[
            ...COUNTS.map(([outcome, word]) => ({ key: outcome, header: word, number: true, cell: (row: Run) => row.counts[outcome].toLocaleString("ja-JP") })),
            ...(run.absent > 0 ? [{ key: "absent", header: "一覧にない記録", number: true, cell: (row: Run) => row.absent.toLocaleString("ja-JP") }] : []),
          ]}
        />
        {run.dry_run && run.state === "done" && run.import_id && may(identity, "imports", "update") && <Confirm run={run} importId={run.import_id} />}
        {!run.dry_run && run.absent > 0 && run.import_id && may(identity, "imports", "update") && <Deletions run={run} importId={run.import_id} />}
        {!open && (left > 0 || run.absent > 0) && <Rows run={run} />}
      </div>
      {again && <ImportDialog source={run.source ?? ""} onClose={() => setAgain(false)} />}
    </>
  );
}

function Actions({ run, onAgain }: { run: Run; onAgain: () => void }) {
  const identity = useIdentity();
  const queries = useQueryClient();
  const { busy, run: write } = useWrite();
  const path = { sync_run_id: run.id };
  if (["waiting", "running"].includes(run.state)) {
    const cancel = async () => {
      await write(run.id, (header) => client.POST("/api/v1/sync-runs/{sync_run_id}/cancellation", { params: { path, header } }));
      await queries.invalidateQueries();
    };
    return (
      <Button variant="secondary" busy={busy} onClick={() => void cancel()}>
        取りやめる
      </Button>
    );
  }
  return (
    run.counts.error > 0 &&
    may(identity, "imports", "create") && (
      <Button variant="secondary" onClick={onAgain}>
        直したファイルを取り込む
      </Button>
    )
  );
}

/** After the dry run: now for real. */
function Confirm({ run, importId }: { run: Run; importId: string }) {
  const navigate = useNavigate();
  const { busy, error, run: write } = useWrite();
  const start = async () => {
    const done = await write(run.id, (header) => client.POST("/api/v1/imports/{import_id}/run", { params: { path: { import_id: importId }, header }, body: { dry_run: false } }));
    if (!done?.data) return;
    announce("取り込みを始めました");
    await navigate({ to: "/sync/$runId", params: { runId: done.data.id } });
  };
  const writes = run.counts.created + run.counts.updated + run.counts.deleted;
  return (
    <Notice
      tone="info"
      title="試行の結果です。まだ何も書き込んでいません"
      actions={
        <Button busy={busy} disabledReason={writes === 0 ? "書き込む行がありません" : undefined} onClick={() => void start()}>
          この内容で取り込む
        </Button>
      }
    >
      {run.counts.error + run.counts.conflict > 0 && <p>エラーと要判断の行は書き込まれません。ほかの行は書き込まれます。</p>}
      {error && <p role="alert">{error.message}</p>}
    </Notice>
  );
}

/** What the full list does not name any more goes only by this second step, with the number that was seen. */
function Deletions({ run, importId }: { run: Run; importId: string }) {
  const navigate = useNavigate();
  const [asking, setAsking] = useState(false);
  const { busy, error, run: write } = useWrite();
  const remove = async () => {
    const body = { sync_run_id: run.id, at_most: run.absent };
    const done = await write(body, (header) => client.POST("/api/v1/imports/{import_id}/deletions", { params: { path: { import_id: importId }, header }, body }));
    if (done?.data) await navigate({ to: "/sync/$runId", params: { runId: done.data.id } });
  };
  return (
    <>
      <Notice
        tone="warning"
        title={`一覧にない記録が${run.absent}件あります`}
        actions={
          <Button variant="danger" onClick={() => setAsking(true)}>
            {run.absent}件を削除する
          </Button>
        }
      >
        下の表で確かめてください。削除した記録は履歴に残ります。
      </Notice>
      <ConfirmDialog open={asking} title={`${run.absent}件の記録を削除しますか`} confirmLabel="削除する" variant="danger" busy={busy} onConfirm={() => void remove()} onClose={() => setAsking(false)}>
        <p>全件の一覧にない記録です。処理済みの行は削除されません。</p>
        {error && <p role="alert">{error.message}</p>}
      </ConfirmDialog>
    </>
  );
}

function Rows({ run }: { run: Run }) {
  const [settling, setSettling] = useState<Row>();
  const path = { sync_run_id: run.id };
  const rows = usePages(["sync-rows", run.id, run.state], (after) =>
    client.GET("/api/v1/sync-runs/{sync_run_id}/rows", { params: { path, query: { limit: 50, after } } }).then(({ data }) => (typeof data === "object" ? data : { items: [] as Row[] })),
  );
  return (
    <section aria-labelledby="rows">
      <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
        <h2 id="rows">確かめる行</h2>
        <Download run={run} />
      </div>
      <QueryView query={rows} what="行の一覧">
        {(items) => (
          <>
            <Table
              caption="確かめる行の一覧"
              captionHidden
              rows={items}
              rowKey={({ id }) => id}
              columns={[
                { key: "line", header: "行", number: true, width: "4rem", cell: (row) => row.line || "" },
                { key: "kind", header: "種類", width: "10rem", cell: (row) => (row.entity ? (ENTITIES[row.entity]?.word ?? row.entity) : "") },
                { key: "name", header: "送られた内容", rowHeader: true, width: "14rem", cell: nameOf },
                { key: "why", header: "理由", cell: (row) => (row.problem ? problemText(row.problem) : "全件の一覧にありません。") },
                {
                  key: "settle",
                  header: "処理",
                  width: "12rem",
                  cell: (row) =>
                    row.settled_at ? (
                      `● 処理済み（${row.settled_by_name ?? ""}）`
                    ) : run.dry_run ? (
                      "－ 試行"
                    ) : (
                      <Button variant="secondary" size="sm" aria-label={`${row.line}行目を処理`} onClick={() => setSettling(row)}>
                        {row.outcome === "conflict" ? "見比べて決める" : "処理済みにする"}
                      </Button>
                    ),
                },
              ]}
            />
            <LoadMore {...rows.more} />
          </>
        )}
      </QueryView>
      {settling && <Conflict row={settling} onClose={() => setSettling(undefined)} />}
    </section>
  );
}

/** The rows as a file to correct and to import again. */
function Download({ run }: { run: Run }) {
  const [failure, setFailure] = useState("");
  const download = async () => {
    setFailure("");
    try {
      const { data } = await client.GET("/api/v1/sync-runs/{sync_run_id}/rows", { params: { path: { sync_run_id: run.id }, query: { format: "csv", limit: 200 } }, parseAs: "blob" });
      const link = document.createElement("a");
      link.href = URL.createObjectURL(data as Blob);
      link.download = `確かめる行-${run.begun_at.slice(0, 10)}.csv`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (error) {
      setFailure(isApiError(error) ? error.message : "ダウンロードできませんでした。");
    }
  };
  return (
    <div>
      <Button variant="secondary" size="sm" onClick={() => void download()}>
        CSVでダウンロード
      </Button>
      <p role="alert">{failure}</p>
    </div>
  );
}

const object = (value: unknown) => (value && typeof value === "object" ? (value as Record<string, unknown>) : {});

function nameOf(row: Row) {
  const item = object(row.item);
  const record = object(item.record ?? item);
  const words = [item.external_id, record.name ?? record.title ?? record.label ?? record.text].filter((word) => typeof word === "string");
  return words.join("　") || (typeof row.item === "string" ? row.item : "");
}

function problemText(problem: object): string {
  const { title, errors } = problem as { title?: string; errors?: { message: string }[] };
  return errors?.length ? errors.map(({ message }) => message).join(" ") : (title ?? "");
}
