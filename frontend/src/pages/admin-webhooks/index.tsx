import { useQueryClient } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { useState } from "react";
import { client, fieldErrors, may, newerRecord, patchRecord, useEveryPage, useIdentity, usePages, useWrite, type components } from "../../api";
import { parseDate } from "../../lib/date";
import { announce, Button, buttonClass, Checkbox, ConfirmDialog, DateField, Dialog, EmptyState, fieldsOf, FormDialog, LoadMore, NoPermissionState, Notice, QueryView, Select, Table, TextField, type FieldErrors } from "../../ui";
import { AdminHeader } from "../admin-users/AdminHeader";
import { ENTITIES } from "../history/words";
import { Deliveries, useDead } from "./Deliveries";
import { outcomeOf } from "./words";

type Webhook = components["schemas"]["Webhook"];
type Kind = components["schemas"]["Entity"];

/** What systems may see; accounts and rights are not theirs. */
const KINDS = Object.keys(ENTITIES).filter((kind) => !["users", "user_roles", "grants", "clients", "webhooks"].includes(kind)) as Kind[];

export default function AdminWebhooksPage() {
  const identity = useIdentity();
  const allowed = may(identity, "webhooks", "read") && may(identity, "webhooks", "create");
  return allowed ? (
    <Webhooks />
  ) : (
    <>
      <AdminHeader title="変更の通知" lead="記録の変更を、連携システムに知らせる先を管理します。" />
      <NoPermissionState what="変更の通知" />
    </>
  );
}

/** What is being done with which one. */
interface Task {
  webhook: Webhook;
  name: "change" | "secret" | "test" | "replay" | "deliveries";
}

function Webhooks() {
  const [making, setMaking] = useState(false);
  const [task, setTask] = useState<Task>();
  const close = () => setTask(undefined);
  const systems = useEveryPage(["clients", "every"], (after) => client.GET("/api/v1/clients", { params: { query: { limit: 200, after } } }).then(({ data }) => data ?? { items: [] }));
  const webhooks = usePages(["webhooks"], (after) => client.GET("/api/v1/webhooks", { params: { query: { limit: 50, after } } }).then(({ data }) => data ?? { items: [] }));
  const dead = useDead();
  const nameOf = (id: string) => systems.data?.find((system) => system.id === id)?.name ?? "";
  const add = <Button onClick={() => setMaking(true)}>通知先を登録</Button>;
  return (
    <>
      <AdminHeader title="変更の通知" lead="記録が変わったことを、連携システムにすぐに知らせます。知らせるのは変わった記録の種類と番号だけで、内容は送りません。" actions={add} />
      {dead > 0 && (
        <Notice tone="warning" title="届かなかった通知があります">
          何度送っても届かなかった通知が{dead >= 200 ? "200件以上" : `${dead}件`}あります。受け取る側を直してから、「通知の記録」で送り直してください。
        </Notice>
      )}
      <QueryView query={webhooks} what="変更の通知">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState title="通知先はまだありません" actions={add}>
              登録してシークレットを発行すると、記録が変わるたびに通知先のURLに知らせます。
            </EmptyState>
          ) : (
            <>
              <Table
                caption="通知先の一覧"
                captionHidden
                rows={rows}
                rowKey={({ id }) => id}
                columns={[
                  {
                    key: "url",
                    header: "通知先",
                    rowHeader: true,
                    width: "18rem",
                    cell: (webhook) => (
                      <>
                        <span className="break-all font-mono text-sm">{webhook.url}</span>
                        {webhook.description && <span className="block font-normal">{webhook.description}</span>}
                      </>
                    ),
                  },
                  { key: "client", header: "連携システム", width: "11rem", cell: (webhook) => nameOf(webhook.client_id) },
                  { key: "kinds", header: "知らせる記録", width: "11rem", cell: ({ entities }) => (entities.length === 0 ? "すべて" : entities.map((kind) => ENTITIES[kind]?.word ?? kind).join("、")) },
                  { key: "active", header: "状態", width: "6rem", cell: ({ active }) => (active ? "● 利用中" : "✕ 停止") },
                  {
                    key: "actions",
                    header: "操作",
                    screenOnly: true,
                    width: "22rem",
                    cell: (webhook) => (
                      <div className="flex flex-wrap gap-2">
                        {(
                          [
                            ["change", "変更"],
                            ["secret", "シークレットを発行"],
                            ["test", "試しに送る"],
                            ["deliveries", "通知の記録"],
                            ["replay", "送り直す"],
                          ] as const
                        ).map(([name, word]) => (
                          <Button key={name} variant="secondary" size="sm" aria-label={`${webhook.url}：${word}`} onClick={() => setTask({ webhook, name })}>
                            {word}
                          </Button>
                        ))}
                        <Link className={buttonClass("text", "sm")} to="/history/$entity/$id" params={{ entity: "webhooks", id: webhook.id }} aria-label={`${webhook.url}：変更の履歴`}>
                          履歴
                        </Link>
                      </div>
                    ),
                  },
                ]}
              />
              <LoadMore {...webhooks.more} />
            </>
          )
        }
      </QueryView>
      {making && <WebhookForm systems={systems.data ?? []} onClose={() => setMaking(false)} onMade={(webhook) => setTask({ webhook, name: "secret" })} />}
      {task?.name === "change" && <WebhookForm webhook={task.webhook} systems={systems.data ?? []} onClose={close} />}
      {task?.name === "secret" && <SecretDialog webhook={task.webhook} onClose={close} />}
      {task?.name === "test" && <TestDialog webhook={task.webhook} onClose={close} />}
      {task?.name === "replay" && <ReplayDialog webhook={task.webhook} onClose={close} />}
      {task?.name === "deliveries" && <Deliveries webhook={task.webhook} onClose={close} />}
    </>
  );
}

function WebhookForm({ webhook, systems, onClose, onMade }: { webhook?: Webhook; systems: readonly components["schemas"]["Client"][]; onClose: () => void; onMade?: (webhook: Webhook) => void }) {
  const queries = useQueryClient();
  const initial = { client_id: webhook?.client_id ?? "", url: webhook?.url ?? "", description: webhook?.description ?? "", entities: webhook?.entities ?? [], active: webhook?.active ?? true };
  const [draft, setDraft] = useState(initial);
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run } = useWrite();
  const save = async () => {
    const errors: FieldErrors = {
      ...(draft.client_id ? {} : { "/client_id": "連携システムを選んでください。" }),
      ...(/^https?:\/\/[!-~]+$/.test(draft.url.trim()) ? {} : { "/url": "https:// で始まるURLを半角で入力してください。" }),
    };
    setGaps(errors);
    if (Object.keys(errors).length > 0) return;
    const body = { ...draft, url: draft.url.trim(), description: draft.description.trim() || null };
    const done = await run(body, async (header) => {
      if (!webhook) return (await client.POST("/api/v1/webhooks", { params: { header }, body })).data;
      await patchRecord(webhook, body, (patch, headers) => client.PATCH("/api/v1/webhooks/{webhook_id}", { params: { path: { webhook_id: webhook.id }, header: headers }, body: patch }));
      return webhook;
    });
    await queries.invalidateQueries();
    if (!done) return;
    announce(webhook ? "通知先を変更しました" : "通知先を登録しました");
    onClose();
    onMade?.(done);
  };
  const errors = { ...fieldErrors(error?.problem), ...gaps };
  const field = fieldsOf("webhook", errors);
  const stale = newerRecord(error) && { message: "ほかの人が先に同じ項目を変更しました。この画面を閉じて、最新の内容を確かめてから、もう一度変更してください。" };
  const tick = (kind: Kind, on: boolean) => setDraft({ ...draft, entities: KINDS.filter((k) => (k === kind ? on : draft.entities.includes(k))) });
  return (
    <FormDialog
      open
      form="webhook"
      title={webhook ? "通知先の変更" : "通知先の登録"}
      submitLabel={webhook ? "変更する" : "登録する"}
      errors={errors}
      failure={stale ?? error}
      busy={busy}
      dirty={JSON.stringify(draft) !== JSON.stringify(initial)}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <Select
        label="連携システム"
        required
        hint="このシステムが見られる記録の変更だけを知らせます"
        value={draft.client_id}
        onChange={(client_id) => setDraft({ ...draft, client_id })}
        options={[{ value: "", label: "選んでください" }, ...systems.map(({ id, name }) => ({ value: id, label: name }))]}
        {...field("/client_id")}
      />
      <TextField label="通知先のURL" required hint="例：https://council.example.jp/tsunagi" maxLength={500} value={draft.url} onChange={(url) => setDraft({ ...draft, url })} {...field("/url")} />
      <TextField label="用途" required={false} maxLength={500} value={draft.description} onChange={(description) => setDraft({ ...draft, description })} {...field("/description")} />
      <fieldset>
        <legend className="font-bold">知らせる記録の種類</legend>
        <p className="text-solid-gray-700">一つも選ばなければ、すべての種類を知らせます。</p>
        <div className="grid grid-cols-2 gap-x-4">
          {KINDS.map((kind) => (
            <Checkbox key={kind} label={ENTITIES[kind]?.word ?? kind} checked={draft.entities.includes(kind)} onChange={(on) => tick(kind, on)} />
          ))}
        </div>
      </fieldset>
      <Checkbox label="通知する" hint="外している間の変更は、再び通知するときにまとめて知らせます。" checked={draft.active} onChange={(active) => setDraft({ ...draft, active })} />
    </FormDialog>
  );
}

/** A secret is shown once: neither the server nor this page can show it again. */
function SecretDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const { busy, error, run } = useWrite();
  const [secret, setSecret] = useState<string | null>();
  const [copied, setCopied] = useState("");
  const issue = async () => {
    const answer = await run(webhook.id, (header) => client.POST("/api/v1/webhooks/{webhook_id}/secrets", { params: { path: { webhook_id: webhook.id }, header } }));
    if (answer?.data) setSecret(answer.data.secret ?? null);
  };
  const copy = async (text: string) => {
    try {
      await navigator.clipboard.writeText(text);
      setCopied("シークレットをコピーしました。");
    } catch {
      setCopied("コピーできませんでした。文字を選択してコピーしてください。");
    }
  };
  if (secret === undefined) {
    return (
      <ConfirmDialog open title="署名のシークレットを発行しますか" confirmLabel="発行する" busy={busy} onConfirm={() => void issue()} onClose={onClose}>
        <p>受け取る側は、このシークレットで通知がつなぎからのものと確かめます。発行するまで通知は送られません。</p>
        <p>新しいシークレットは一度だけ表示されます。今のシークレットは、切り替えられるように引き続き使えます。その前のシークレットは使えなくなります。</p>
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
      {secret === null ? (
        <Notice tone="warning" live title="シークレットを表示できません">
          通信が途切れたため、発行したシークレットは表示できません。もう一度発行してください。
        </Notice>
      ) : (
        <div className="grid gap-4">
          <Notice tone="warning" title="この画面を閉じると、二度と表示できません">
            今すぐ、受け取るシステムの設定に登録してください。
          </Notice>
          <TextField
            label="シークレット"
            value={secret}
            onChange={() => undefined}
            readOnlyReason=""
            action={
              <Button variant="secondary" className="shrink-0" aria-label="シークレットをコピー" onClick={() => void copy(secret)}>
                コピー
              </Button>
            }
          />
          <p role="status">{copied}</p>
        </div>
      )}
    </Dialog>
  );
}

function TestDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const { busy, error, run } = useWrite();
  const [result, setResult] = useState<components["schemas"]["WebhookTest"]>();
  const send = async () => {
    setResult(undefined);
    const answer = await run(webhook.id, (header) => client.POST("/api/v1/webhooks/{webhook_id}/test", { params: { path: { webhook_id: webhook.id }, header } }));
    if (answer?.data) setResult(answer.data);
  };
  return (
    <ConfirmDialog open title="試しに送りますか" confirmLabel={result ? "もう一度送る" : "送る"} busy={busy} onConfirm={() => void send()} onClose={onClose}>
      <p>
        <span className="break-all font-mono">{webhook.url}</span> に、種類が ping の通知を今すぐ一度だけ送ります。
      </p>
      {result && (
        <Notice tone={result.delivered ? "success" : "warning"} live title={result.delivered ? "届きました" : "届きませんでした"}>
          {outcomeOf(result)}
        </Notice>
      )}
      {error && (
        <Notice tone="error" live title="送れませんでした">
          {error.message}
        </Notice>
      )}
    </ConfirmDialog>
  );
}

function ReplayDialog({ webhook, onClose }: { webhook: Webhook; onClose: () => void }) {
  const [day, setDay] = useState("");
  const [gap, setGap] = useState<string>();
  const { busy, error, run } = useWrite();
  const send = async () => {
    const since = parseDate(day)?.date;
    setGap(since ? undefined : "送り直す最初の日を入力してください。例：R8.4.1");
    if (!since) return;
    const body = { since: `${since}T00:00:00+09:00` };
    const done = await run({ id: webhook.id, body }, (header) => client.POST("/api/v1/webhooks/{webhook_id}/replay", { params: { path: { webhook_id: webhook.id }, header }, body }).then(() => true));
    if (!done) return;
    announce("送り直しを始めました");
    onClose();
  };
  const field = fieldsOf("replay", gap ? { "/since": gap } : {});
  return (
    <FormDialog open form="replay" title="変更を送り直す" submitLabel="送り直す" errors={gap ? { "/since": gap } : {}} failure={error} busy={busy} dirty={day !== ""} onSubmit={() => void send()} onClose={onClose}>
      <p>この日以後に変わった記録を、もう一度すべて知らせます。受け取る側が止まっていて取りこぼしたときに使います。</p>
      <DateField label="最初の日" required hint="直近400日まで" value={day} onChange={setDay} {...field("/since")} />
    </FormDialog>
  );
}
