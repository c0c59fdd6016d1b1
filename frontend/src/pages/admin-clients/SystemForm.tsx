import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, fieldErrors, newerRecord, patchRecord, useWrite } from "../../api";
import { formatDateShort, parseDate } from "../../lib/date";
import { announce, Checkbox, DateField, fieldsOf, FormDialog, RadioGroup, Select, TextArea, TextField, type FieldErrors } from "../../ui";
import { addressesOf, reachOf, SCOPES, scopesOf, type Reach, type System } from "./words";

/** The end of this day in Japan. */
export const endOfDay = (day: string) => `${day}T23:59:59+09:00`;
const dayOf = (instant: string) => new Date(new Date(instant).getTime() + 9 * 3_600_000).toISOString().slice(0, 10);

export function SystemForm({ system, onClose, onMade }: { system?: System; onClose: () => void; onMade: (system: System) => void }) {
  const queries = useQueryClient();
  const initial = {
    name: system?.name ?? "",
    active: system?.active ?? true,
    until: system?.expires_at ? formatDateShort(dayOf(system.expires_at)) : "",
    limited: (system?.scopes.length ?? 0) > 0,
    reach: reachOf(system?.scopes ?? []),
    addresses: system?.addresses.join("\n") ?? "",
  };
  const [draft, setDraft] = useState(initial);
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run } = useWrite();
  const save = async () => {
    const until = draft.until.trim() ? parseDate(draft.until)?.date : null;
    const scopes = draft.limited ? scopesOf(draft.reach) : [];
    const errors: FieldErrors = {
      ...(draft.name.trim() ? {} : { "/name": "システムの名前を入力してください。" }),
      ...(until === undefined ? { "/expires_at": "有効期限の日付を読み取れません。例：R9.3.31" } : {}),
      ...(draft.limited && scopes.length === 0 ? { "/scopes": "読み書きできる記録を一つ以上選んでください。" } : {}),
    };
    setGaps(errors);
    if (Object.keys(errors).length > 0 || until === undefined) return;
    // An expiry that was not touched keeps its exact moment.
    const kept = draft.until === initial.until ? (system?.expires_at ?? null) : until && endOfDay(until);
    const body = { name: draft.name.trim(), active: draft.active, expires_at: kept, scopes, addresses: addressesOf(draft.addresses) };
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
  // A wrong line of the addresses is an error of their one field.
  const told = Object.entries(fieldErrors(error?.problem)).map(([path, message]) => [path.replace(/^\/(addresses|scopes)\/.*/, "/$1"), message] as const);
  const errors = { ...Object.fromEntries(told), ...gaps };
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
      <RadioGroup
        label="このシステムができること"
        value={draft.limited ? "limited" : "all"}
        onChange={(choice) => setDraft({ ...draft, limited: choice === "limited" })}
        options={[
          { value: "all", label: "団体の記録すべて", hint: "団体の職員と同じ範囲を読み書きします。" },
          { value: "limited", label: "記録の種類を選ぶ", hint: "必要なものだけに限ると、シークレットが漏れたときの影響が小さくなります。" },
        ]}
        {...field("/scopes")}
      />
      {draft.limited && (
        <fieldset className="grid gap-4 sm:grid-cols-2">
          <legend className="sr-only">記録の種類ごとの範囲</legend>
          {Object.entries(SCOPES).map(([kind, { label, hint, readOnly }]) => (
            <Select
              key={kind}
              label={label}
              hint={hint}
              size="sm"
              value={draft.reach[kind] ?? ""}
              onChange={(action) => setDraft({ ...draft, reach: { ...draft.reach, [kind]: action as Reach[string] } })}
              options={[{ value: "", label: "使わない" }, { value: "read", label: "読む" }, ...(readOnly ? [] : [{ value: "write", label: "読み書きする" }])]}
            />
          ))}
        </fieldset>
      )}
      <TextArea
        label="接続元のアドレス"
        required={false}
        hint="1行に一つ。例：203.0.113.0/24　空欄なら、どこからでも接続できます"
        rows={3}
        value={draft.addresses}
        onChange={(addresses) => setDraft({ ...draft, addresses })}
        {...field("/addresses")}
      />
      <Checkbox label="利用を認める" hint="外すと、このシステムは使用中の接続も含めてすぐに使えなくなります。" checked={draft.active} onChange={(active) => setDraft({ ...draft, active })} />
    </FormDialog>
  );
}
