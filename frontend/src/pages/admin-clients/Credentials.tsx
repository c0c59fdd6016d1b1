import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { $api, client, etagOf, fieldErrors, patchRecord, useWrite } from "../../api";
import { formatInstant, parseDate } from "../../lib/date";
import { announce, Button, ConfirmDialog, DateField, Dialog, fieldsOf, FormDialog, Notice, QueryView, Table, TextArea, TextField, type FieldErrors } from "../../ui";
import { endOfDay } from "./SystemForm";
import { endWord, readPublicKey, type PublicKey, type Secret, type System } from "./words";

const KINDS: Record<string, string> = { OKP: "Ed25519", EC: "P-256", RSA: "RSA" };

/** Secrets and keys of a system: issue, change over, end. */
export function Credentials({ system, secrets, onClose }: { system: System; secrets: readonly Secret[]; onClose: () => void }) {
  const uses = $api.useQuery("get", "/api/v1/clients/{client_id}/uses", { params: { path: { client_id: system.id } } });
  const [issuing, setIssuing] = useState(false);
  const [registering, setRegistering] = useState(false);
  const [ending, setEnding] = useState<Secret>();
  const [removing, setRemoving] = useState<PublicKey>();
  const newest = secrets.at(-1)?.id;
  return (
    <Dialog open wide title={`${system.name}の認証情報`} onClose={onClose}>
      <QueryView query={uses} what="利用の記録">
        {({ items }) => {
          const lastUse = (credential: string) => {
            const used = items.find((use) => use.credential === credential)?.used_at;
            return used ? formatInstant(used) : "まだ使われていません";
          };
          return (
            <div className="grid gap-6">
              <p>
                クライアントID：<span className="select-all font-mono">{system.id}</span>
              </p>
              <section className="grid gap-3" aria-labelledby="secrets-of-system">
                <div className="flex flex-wrap items-center justify-between gap-3">
                  <h3 id="secrets-of-system">シークレット</h3>
                  <Button size="sm" onClick={() => setIssuing(true)}>
                    シークレットを発行
                  </Button>
                </div>
                {secrets.length === 0 ? (
                  <p>シークレットはありません。</p>
                ) : (
                  <Table
                    caption="シークレットの一覧"
                    captionHidden
                    dense
                    rows={secrets.toReversed()}
                    rowKey={({ id }) => id}
                    columns={[
                      { key: "issued", header: "発行", rowHeader: true, cell: ({ id, created_at }) => `${formatInstant(created_at)}（${id === newest ? "新しい方" : "前のもの"}）` },
                      { key: "end", header: "有効期限", cell: ({ expires_at }) => <Ending end={expires_at} /> },
                      { key: "use", header: "最後の利用", cell: ({ id }) => lastUse(id) },
                      {
                        key: "actions",
                        header: "操作",
                        screenOnly: true,
                        cell: (secret) => (
                          <Button variant="secondary" size="sm" aria-label={`${formatInstant(secret.created_at)}に発行したシークレットを無効にする`} onClick={() => setEnding(secret)}>
                            無効にする
                          </Button>
                        ),
                      },
                    ]}
                  />
                )}
              </section>
              <section className="grid gap-3" aria-labelledby="keys-of-system">
                <div className="flex flex-wrap items-center justify-between gap-3">
                  <h3 id="keys-of-system">公開鍵</h3>
                  <Button variant="secondary" size="sm" disabledReason={system.public_keys.length >= 5 ? "公開鍵は五つまでです。" : undefined} onClick={() => setRegistering(true)}>
                    公開鍵を登録
                  </Button>
                </div>
                {system.public_keys.length === 0 ? (
                  <p>公開鍵はありません。登録すると、シークレットを預けずに、秘密鍵の署名でサインインできます。</p>
                ) : (
                  <Table
                    caption="公開鍵の一覧"
                    captionHidden
                    dense
                    rows={system.public_keys}
                    rowKey={({ kid }) => kid}
                    columns={[
                      { key: "kid", header: "鍵の名前（kid）", rowHeader: true, cell: ({ kid }) => kid },
                      { key: "kind", header: "種類", cell: ({ kty }) => KINDS[kty] ?? kty },
                      { key: "use", header: "最後の利用", cell: ({ kid }) => lastUse(kid) },
                      {
                        key: "actions",
                        header: "操作",
                        screenOnly: true,
                        cell: (key) => (
                          <Button variant="secondary" size="sm" aria-label={`公開鍵${key.kid}を外す`} onClick={() => setRemoving(key)}>
                            外す
                          </Button>
                        ),
                      },
                    ]}
                  />
                )}
              </section>
            </div>
          );
        }}
      </QueryView>
      {issuing && <SecretDialog system={system} onClose={() => setIssuing(false)} />}
      {registering && <KeyForm system={system} onClose={() => setRegistering(false)} />}
      {ending && <EndSecret secret={ending} onClose={() => setEnding(undefined)} />}
      {removing && <RemoveKey system={system} publicKey={removing} onClose={() => setRemoving(undefined)} />}
    </Dialog>
  );
}

export function Ending({ end }: { end?: string | null }) {
  const word = endWord(end);
  if (!end || !word) return "なし";
  return (
    <>
      {formatInstant(end)}
      <br />
      {word.soon ? <strong>{word.text}</strong> : word.text}
    </>
  );
}

function EndSecret({ secret, onClose }: { secret: Secret; onClose: () => void }) {
  const queries = useQueryClient();
  const { busy, error, run } = useWrite();
  const end = async () => {
    const params = { path: { client_secret_id: secret.id } };
    const done = await run(secret.id, async (header) => (await client.DELETE("/api/v1/client-secrets/{client_secret_id}", { params: { ...params, header: { ...header, "If-Match": etagOf(secret.version) } } })).response);
    await queries.invalidateQueries();
    if (!done) return;
    announce("シークレットを無効にしました");
    onClose();
  };
  return (
    <ConfirmDialog open title="シークレットを無効にしますか" confirmLabel="無効にする" variant="danger" busy={busy} onConfirm={() => void end()} onClose={onClose}>
      <p>
        {formatInstant(secret.created_at)}に発行したシークレットでは、今からサインインできなくなります。元に戻せません。サインイン済みの接続は、最長10分で切れます。すぐに止めるには、システムの「変更」で利用の認可を外してください。
      </p>
      <Failure error={error} />
    </ConfirmDialog>
  );
}

function RemoveKey({ system, publicKey, onClose }: { system: System; publicKey: PublicKey; onClose: () => void }) {
  const queries = useQueryClient();
  const { busy, error, run } = useWrite();
  const remove = async () => {
    const done = await run(publicKey.kid, async () => {
      await changeKeys(system, system.public_keys.filter(({ kid }) => kid !== publicKey.kid));
      return true;
    });
    await queries.invalidateQueries();
    if (!done) return;
    announce("公開鍵を外しました");
    onClose();
  };
  return (
    <ConfirmDialog open title={`公開鍵「${publicKey.kid}」を外しますか`} confirmLabel="外す" variant="danger" busy={busy} onConfirm={() => void remove()} onClose={onClose}>
      <p>この鍵の署名では、今からサインインできなくなります。</p>
      <Failure error={error} />
    </ConfirmDialog>
  );
}

const Failure = ({ error }: { error?: { message: string } }) =>
  error ? (
    <Notice tone="error" live title="できませんでした">
      {error.message}
    </Notice>
  ) : null;

const changeKeys = (system: System, public_keys: PublicKey[]) =>
  patchRecord(system, { public_keys }, (patch, headers) => client.PATCH("/api/v1/clients/{client_id}", { params: { path: { client_id: system.id }, header: headers }, body: patch }));

function KeyForm({ system, onClose }: { system: System; onClose: () => void }) {
  const queries = useQueryClient();
  const [draft, setDraft] = useState({ kid: "", text: "" });
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run } = useWrite();
  const save = async () => {
    const kid = draft.kid.trim();
    const key = kid && (await readPublicKey(draft.text, kid));
    const errors: FieldErrors = {
      ...(/^[!-~]{1,200}$/.test(kid) ? {} : { "/kid": "鍵の名前を半角の英数字で入力してください。例：2026-04" }),
      ...(system.public_keys.some((known) => known.kid === kid) ? { "/kid": "同じ名前の鍵があります。別の名前にしてください。" } : {}),
      ...(key === undefined ? { "/text": "公開鍵を読み取れません。PEM（BEGIN PUBLIC KEY）か JSON Web Key を貼り付けてください。秘密鍵は登録できません。" } : {}),
    };
    setGaps(errors);
    if (Object.keys(errors).length > 0 || !key) return;
    const done = await run(key, async () => {
      await changeKeys(system, [...system.public_keys, key]);
      return true;
    });
    await queries.invalidateQueries();
    if (!done) return;
    announce("公開鍵を登録しました");
    onClose();
  };
  const told = Object.keys(fieldErrors(error?.problem)).length > 0 ? { "/text": "公開鍵の値が正しくありません。Ed25519、P-256、2,048ビット以上の RSA のいずれかにしてください。" } : {};
  const field = fieldsOf("key", { ...told, ...gaps });
  return (
    <FormDialog
      open
      form="key"
      title={`${system.name}の公開鍵の登録`}
      submitLabel="登録する"
      errors={{ ...told, ...gaps }}
      failure={error}
      busy={busy}
      dirty={draft.text !== "" || draft.kid !== ""}
      onSubmit={() => void save()}
      onClose={onClose}
    >
      <TextField label="鍵の名前（kid）" required hint="システムが署名に書く名前。例：2026-04" maxLength={200} value={draft.kid} onChange={(kid) => setDraft({ ...draft, kid })} {...field("/kid")} />
      <TextArea label="公開鍵" required hint="PEM（-----BEGIN PUBLIC KEY-----）または JSON Web Key を貼り付けます。秘密鍵は入れないでください" rows={6} value={draft.text} onChange={(text) => setDraft({ ...draft, text })} {...field("/text")} />
    </FormDialog>
  );
}

/** A secret is shown once: neither the server nor this page can show it again. */
export function SecretDialog({ system, onClose }: { system: System; onClose: () => void }) {
  const queries = useQueryClient();
  const { busy, error, run } = useWrite();
  const [until, setUntil] = useState("");
  const [gap, setGap] = useState<string>();
  const [secret, setSecret] = useState<string>();
  const [copied, setCopied] = useState("");
  const issue = async () => {
    const day = until.trim() ? parseDate(until)?.date : null;
    setGap(day === undefined ? "有効期限の日付を読み取れません。例：R9.3.31" : undefined);
    if (day === undefined) return;
    const body = { expires_at: day && endOfDay(day) };
    const answer = await run([system.id, body], (header) => client.POST("/api/v1/clients/{client_id}/secrets", { params: { path: { client_id: system.id }, header }, body }));
    await queries.invalidateQueries();
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
        <div className="grid gap-4">
          <p>新しいシークレットは一度だけ表示されます。今のシークレットは、システムを切り替えられるように引き続き使えます。その前のシークレットは使えなくなります。</p>
          <DateField label="シークレットの有効期限" required={false} hint="この日の終わりから使えなくなります。30日前から、この画面とシステムへの応答でお知らせします" value={until} onChange={setUntil} error={gap} />
          <Failure error={error} />
        </div>
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
