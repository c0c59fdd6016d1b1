import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { client, fieldErrors, may, newerRecord, patchRecord, useIdentity, usePages, useWrite, type components } from "../../api";
import { formatDateShort, formatInstant, parseDate } from "../../lib/date";
import {
  announce,
  Button,
  buttonClass,
  Checkbox,
  ConfirmDialog,
  DateField,
  Dialog,
  EmptyState,
  fieldsOf,
  FormDialog,
  LoadMore,
  NoPermissionState,
  Notice,
  QueryView,
  Table,
  TextField,
  type FieldErrors,
} from "../../ui";
import { AdminHeader } from "../admin-users/AdminHeader";

type System = components["schemas"]["Client"];

/** The end of this day in Japan. */
const endOfDay = (day: string) => `${day}T23:59:59+09:00`;
const dayOf = (instant: string) => new Date(new Date(instant).getTime() + 9 * 3_600_000).toISOString().slice(0, 10);

export default function AdminClientsPage() {
  const identity = useIdentity();
  const allowed = may(identity, "clients", "read") && may(identity, "clients", "create");
  return allowed ? (
    <Systems />
  ) : (
    <>
      <AdminHeader title="連携システム" lead="つなぎと自動でやり取りするシステムを管理します。" />
      <NoPermissionState what="連携システム" />
    </>
  );
}

function Systems() {
  const [form, setForm] = useState<{ system?: System }>();
  const [asking, setAsking] = useState<System>();
  const systems = usePages(["clients"], (after) => client.GET("/api/v1/clients", { params: { query: { limit: 50, after } } }).then(({ data }) => data ?? { items: [] }));
  return (
    <>
      <AdminHeader
        title="連携システム"
        lead="団体の業務システムが、夜間などに自動で値をやり取りするための登録です。"
        actions={<Button onClick={() => setForm({})}>システムを登録</Button>}
      />
      <QueryView query={systems} what="連携システム">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState title="連携システムはまだありません" actions={<Button onClick={() => setForm({})}>システムを登録</Button>}>
              登録してシークレットを発行すると、そのシステムがAPIにサインインできます。
            </EmptyState>
          ) : (
            <>
              <Table
                caption="連携システムの一覧"
                captionHidden
                rows={rows}
                rowKey={({ id }) => id}
                columns={[
                  { key: "name", header: "システムの名前", rowHeader: true, width: "12rem", cell: (system) => system.name },
                  { key: "id", header: "クライアントID", width: "12rem", cell: (system) => <span className="select-all font-mono text-sm">{system.id}</span> },
                  {
                    key: "active",
                    header: "状態",
                    width: "8rem",
                    cell: (system) => (!system.active ? "✕ 停止" : system.expires_at && new Date(system.expires_at) < new Date() ? "－ 期限切れ" : "● 利用中"),
                  },
                  { key: "expires", header: "有効期限", width: "12rem", cell: (system) => (system.expires_at ? formatInstant(system.expires_at) : "なし") },
                  {
                    key: "actions",
                    header: "操作",
                    screenOnly: true,
                    width: "20rem",
                    cell: (system) => (
                      <div className="flex flex-wrap gap-2">
                        <Button variant="secondary" size="sm" aria-label={`${system.name}を変更`} onClick={() => setForm({ system })}>
                          変更
                        </Button>
                        <Button variant="secondary" size="sm" aria-label={`${system.name}の新しいシークレットを発行`} onClick={() => setAsking(system)}>
                          シークレットを発行
                        </Button>
                        <Link className={buttonClass("text", "sm")} to="/history/$entity/$id" params={{ entity: "clients", id: system.id }} aria-label={`${system.name}の変更の履歴`}>
                          履歴
                        </Link>
                      </div>
                    ),
                  },
                ]}
              />
              <LoadMore {...systems.more} />
            </>
          )
        }
      </QueryView>
      {form && <SystemForm system={form.system} onClose={() => setForm(undefined)} onMade={setAsking} />}
      {asking && <SecretDialog system={asking} onClose={() => setAsking(undefined)} />}
    </>
  );
}

function SystemForm({ system, onClose, onMade }: { system?: System; onClose: () => void; onMade: (system: System) => void }) {
  const queries = useQueryClient();
  const initial = { name: system?.name ?? "", active: system?.active ?? true, until: system?.expires_at ? formatDateShort(dayOf(system.expires_at)) : "" };
  const [draft, setDraft] = useState(initial);
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run } = useWrite();
  const save = async () => {
    const until = draft.until.trim() ? parseDate(draft.until)?.date : null;
    const errors: FieldErrors = {
      ...(draft.name.trim() ? {} : { "/name": "システムの名前を入力してください。" }),
      ...(until === undefined ? { "/expires_at": "有効期限の日付を読み取れません。例：R9.3.31" } : {}),
    };
    setGaps(errors);
    if (Object.keys(errors).length > 0 || until === undefined) return;
    // An expiry that was not touched keeps its exact moment.
    const kept = draft.until === initial.until ? (system?.expires_at ?? null) : until && endOfDay(until);
    const body = { name: draft.name.trim(), active: draft.active, expires_at: kept };
    const done = await run(body, async (header) => {
      if (!system) return (await client.POST("/api/v1/clients", { params: { header }, body })).data;
      await patchRecord(system, body, (patch, headers) => client.PATCH("/api/v1/clients/{client_id}", { params: { path: { client_id: system.id }, header: headers }, body: patch }));
      return system;
    });
    await queries.invalidateQueries();
    if (!done) return;
    announce(system ? "システムを変更しました" : "システムを登録しました");
    onClose();
    if (!system) onMade(done);
  };
  const errors = { ...fieldErrors(error?.problem), ...gaps };
  const field = fieldsOf("system", errors);
  const stale = newerRecord(error) && { message: "ほかの人が先に同じ項目を変更しました。この画面を閉じて、最新の内容を確かめてから、もう一度変更してください。" };
  return (
    <FormDialog
      open
      form="system"
      title={system ? `${system.name}の変更` : "連携システムの登録"}
      submitLabel={system ? "変更する" : "登録する"}
      errors={errors}
      failure={stale ?? error}
      busy={busy}
      dirty={JSON.stringify(draft) !== JSON.stringify(initial)}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <TextField label="システムの名前" required hint="例：社協 利用者管理システム" maxLength={300} value={draft.name} onChange={(name) => setDraft({ ...draft, name })} {...field("/name")} />
      <DateField label="有効期限" required={false} hint="この日の終わりから、サインインできなくなります" value={draft.until} onChange={(until) => setDraft({ ...draft, until })} {...field("/expires_at")} />
      <Checkbox label="利用を認める" hint="外すと、このシステムはすぐに使えなくなります。" checked={draft.active} onChange={(active) => setDraft({ ...draft, active })} />
    </FormDialog>
  );
}

/** A secret is shown once: neither the server nor this page can show it again. */
function SecretDialog({ system, onClose }: { system: System; onClose: () => void }) {
  const { busy, error, run } = useWrite();
  const [secret, setSecret] = useState<string>();
  const [copied, setCopied] = useState("");
  const issue = async () => {
    const answer = await run(system.id, (header) => client.POST("/api/v1/clients/{client_id}/secrets", { params: { path: { client_id: system.id }, header } }));
    if (answer?.data) setSecret(answer.data.client_secret ?? "");
  };
  const copy = async (what: string, text: string) => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied(`${what}をコピーしました。`);
    } catch {
      setCopied("コピーできませんでした。文字を選択してコピーしてください。");
    }
  };
  if (secret === undefined) {
    return (
      <ConfirmDialog open title={`${system.name}のシークレットを発行しますか`} confirmLabel="発行する" busy={busy} onConfirm={() => void issue()} onClose={onClose}>
        <p>新しいシークレットは一度だけ表示されます。今のシークレットは、システムを切り替えられるように引き続き使えます。その前のシークレットは使えなくなります。</p>
        {error && (
          <Notice tone="error" live title="発行できませんでした">
            {error.message}
          </Notice>
        )}
      </ConfirmDialog>
    );
  }
  return (
    <Dialog open title="シークレットを発行しました" onClose={onClose} actions={<Button onClick={onClose}>控えたので閉じる</Button>}>
      {secret === "" ? (
        <Notice tone="warning" live title="シークレットを表示できません">
          通信が途切れたため、発行したシークレットは表示できません。もう一度発行してください。
        </Notice>
      ) : (
        <div className="grid gap-4">
          <Notice tone="warning" title="この画面を閉じると、二度と表示できません">
            今すぐ、システムの設定に登録するか、安全な場所に控えてください。
          </Notice>
          {[
            ["クライアントID", system.id],
            ["シークレット", secret],
          ].map(([label = "", text = ""]) => (
            <TextField
              key={label}
              label={label}
              value={text}
              onChange={() => undefined}
              readOnlyReason=""
              action={
                <Button variant="secondary" className="shrink-0" aria-label={`${label}をコピー`} onClick={() => void copy(label, text)}>
                  コピー
                </Button>
              }
            />
          ))}
          <p role="status">{copied}</p>
        </div>
      )}
    </Dialog>
  );
}
