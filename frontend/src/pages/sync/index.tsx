import { Link, useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { client, may, useIdentity, usePages, type paths } from "../../api";
import { formatDateShort, formatInstant, parseDate } from "../../lib/date";
import { Button, EmptyState, LoadMore, NoPermissionState, PageHeader, QueryView, Select, Table, TextField, useSearchParam } from "../../ui";
import { ImportDialog } from "./ImportDialog";
import { ACTORS, COUNTS, KINDS, STATES, verdict, whoOf, type Run } from "./words";

const HEAD = { title: "同期の記録", breadcrumbs: [{ label: "ホーム", href: "/" }, { label: "同期の記録" }] };

/** What systems and files have written: who, when, how many, and what a person has to look at. */
export default function SyncPage() {
  const identity = useIdentity();
  const [importing, setImporting] = useState(false);
  const allowed = may(identity, "sync_runs", "read");
  const add = may(identity, "imports", "create") && <Button onClick={() => setImporting(true)}>ファイルを取り込む</Button>;
  return (
    <>
      <PageHeader {...HEAD} lead="連携システムやファイルから、まとめて書き込んだ記録です。400日間残ります。" printable actions={add} />
      {allowed ? <Runs /> : <NoPermissionState what="同期の記録" />}
      {importing && <ImportDialog onClose={() => setImporting(false)} />}
    </>
  );
}

type Query = NonNullable<paths["/api/v1/sync-runs"]["get"]["parameters"]["query"]>;

const RESULTS: Record<string, { label: string; query: Query }> = {
  open: { label: "要判断が残っている", query: { open: true } },
  errors: { label: "エラーか失敗がある", query: { with_errors: true } },
  waiting: { label: "待機中", query: { state: "waiting" } },
  running: { label: "実行中", query: { state: "running" } },
  cancelled: { label: "取りやめ", query: { state: "cancelled" } },
};
const TRIALS: Record<string, { label: string; query: Query }> = {
  without: { label: "試行を除く", query: { dry_run: false } },
  only: { label: "試行だけ", query: { dry_run: true } },
};
const choices = (of: Record<string, string | { label: string }>) => [
  { value: "", label: "すべて" },
  ...Object.entries(of).map(([value, word]) => ({ value, label: typeof word === "string" ? word : word.label })),
];

function Runs() {
  const navigate = useNavigate();
  // A kind of sender or the id of one; the others are keys of the tables above.
  const [who, setWho] = useSearchParam("who");
  const [kind, setKind] = useSearchParam("kind");
  const [result, setResult] = useSearchParam("result");
  const [trial, setTrial] = useSearchParam("trial");
  const [from] = useSearchParam("from");
  const [to] = useSearchParam("to");
  const query: Query = {
    ...(who && (who in ACTORS ? { actor_kind: who as Run["actor_kind"] } : { actor_id: who })),
    ...(kind && { kind: kind as Run["kind"] }),
    ...RESULTS[result ?? ""]?.query,
    ...TRIALS[trial ?? ""]?.query,
    ...(from && { from: `${from}T00:00:00+09:00` }),
    ...(to && { to: `${to}T23:59:59.999+09:00` }),
    limit: 50,
  };
  const runs = usePages(["sync-runs", query], (after) => client.GET("/api/v1/sync-runs", { params: { query: { ...query, after } } }).then(({ data }) => data ?? { items: [] }));
  const filtered = Boolean(who ?? kind ?? result ?? trial ?? from ?? to);
  const chosen = who && !(who in ACTORS) ? { [who]: runs.data?.[0] ? whoOf(runs.data[0]) : "選んだ送り手" } : {};
  return (
    <>
      <div className="no-print mb-4 flex flex-wrap items-end gap-x-4 gap-y-2">
        <Select label="実行した人・システム" size="sm" className="w-56" value={who ?? ""} onChange={(value) => setWho(value || undefined)} options={choices({ ...ACTORS, ...chosen })} />
        <Select label="内容" size="sm" className="w-52" value={kind ?? ""} onChange={(value) => setKind(value || undefined)} options={choices(KINDS)} />
        <Select label="結果" size="sm" className="w-52" value={result ?? ""} onChange={(value) => setResult(value || undefined)} options={choices(RESULTS)} />
        <Select label="試行" size="sm" className="w-36" value={trial ?? ""} onChange={(value) => setTrial(value || undefined)} options={choices(TRIALS)} />
        <Period key={`${from}${to}`} />
      </div>
      <QueryView query={runs} what="同期の記録">
        {(rows) =>
          rows.length > 0 ? (
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
                  {
                    key: "who",
                    header: "実行した人・システム",
                    width: "14rem",
                    cell: (run) =>
                      who === run.actor_id ? (
                        whoOf(run)
                      ) : (
                        <Link className="link" to="/sync" search={(previous) => ({ ...previous, who: run.actor_id })} replace aria-label={`${whoOf(run)}の記録だけを表示`}>
                          {whoOf(run)}
                        </Link>
                      ),
                  },
                  { key: "what", header: "内容", width: "16rem", cell: (run) => [KINDS[run.kind], run.file_name].filter(Boolean).join("：") },
                  { key: "state", header: "状態", width: "10rem", cell: (run) => [STATES[run.state], verdict(run)].filter(Boolean).join(" ") },
                  ...COUNTS.map(([outcome, word]) => ({ key: outcome, header: word, number: true, width: "5rem", cell: (run: (typeof rows)[number]) => run.counts[outcome].toLocaleString("ja-JP") })),
                ]}
              />
              <LoadMore {...runs.more} />
            </>
          ) : filtered ? (
            <EmptyState
              title="条件に合う同期の記録はありません"
              actions={
                <Button variant="secondary" onClick={() => void navigate({ to: "/sync", search: {} })}>
                  条件を消す
                </Button>
              }
            >
              期間を広げるか、条件を外してください。
            </EmptyState>
          ) : (
            <EmptyState title="同期の記録はまだありません">連携システムが送信するか、ファイルを取り込むと、ここに結果が残ります。</EmptyState>
          )
        }
      </QueryView>
    </>
  );
}

/** From one day to another, as they are typed; they count once they are submitted. */
function Period() {
  const navigate = useNavigate();
  const [from] = useSearchParam("from");
  const [to] = useSearchParam("to");
  const [typed, setTyped] = useState({ from: from ? formatDateShort(from) : "", to: to ? formatDateShort(to) : "" });
  const [gaps, setGaps] = useState<Partial<typeof typed>>({});
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const [first, last] = [typed.from, typed.to].map((text) => (text.trim() ? parseDate(text)?.date : ""));
    const unreadable = "日付を R7.4.1 または 2025/4/1 のように入力してください。";
    setGaps({
      ...(first === undefined && { from: unreadable }),
      ...(last === undefined ? { to: unreadable } : first && last && last < first && { to: "始まりの日か、それよりあとの日を入力してください。" }),
    });
    if (first === undefined || last === undefined || (first && last && last < first)) return;
    void navigate({ to: ".", search: (previous: Record<string, unknown>) => ({ ...previous, from: first || undefined, to: last || undefined }), replace: true });
  };
  return (
    <form noValidate aria-label="期間" className="flex flex-wrap items-end gap-x-2" onSubmit={submit}>
      <TextField label="期間の始まり" size="sm" className="w-32" value={typed.from} onChange={(text) => setTyped({ ...typed, from: text })} error={gaps.from} />
      <span aria-hidden="true" className="pb-1">
        ～
      </span>
      <TextField label="期間の終わり" size="sm" className="w-32" value={typed.to} onChange={(text) => setTyped({ ...typed, to: text })} error={gaps.to} />
      <Button type="submit" variant="secondary" size="sm">
        絞り込む
      </Button>
    </form>
  );
}
