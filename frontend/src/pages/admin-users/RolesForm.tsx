import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, etagOf, fieldErrors, newerRecord, useWrite, type components } from "../../api";
import { formatDate, formatDateShort, parseDate, todayInJapan } from "../../lib/date";
import { announce, Button, DateField, fieldsOf, FormDialog, Notice, Table, type FieldErrors } from "../../ui";
import { RoleChoice, type Organisation, type User } from "./UserForm";
import { ROLES, rolesOf, type Role } from "./words";

export type UserRole = components["schemas"]["UserRole"];

export const isInForce = ({ valid_from: from, valid_to: to }: UserRole, day = todayInJapan()) => from <= day && (!to || to >= day);
export const roleWord = (role: Role) => ROLES[role]?.label ?? role;
export const validity = ({ valid_from: from, valid_to: to }: UserRole) => `${formatDate(from, { weekday: false })}から${to ? `${formatDate(to, { weekday: false })}まで` : ""}`;

/** The roles of a person with their validity: a personnel change ends one and begins another, nothing is deleted. */
export function RolesForm({ user, roles, organization, onClose }: { user: User; roles: readonly UserRole[]; organization: Organisation; onClose: () => void }) {
  const queries = useQueryClient();
  const today = todayInJapan();
  const [ending, setEnding] = useState<UserRole>();
  const [last, setLast] = useState("");
  const [role, setRole] = useState<string>("");
  const [from, setFrom] = useState(() => formatDateShort(today));
  const [to, setTo] = useState("");
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run, clear } = useWrite();

  const end = async () => {
    if (!ending) return;
    const day = parseDate(last)?.date;
    const errors: FieldErrors = !day
      ? { "/last": "役割の最後の日を入力してください。" }
      : day < ending.valid_from
        ? { "/last": `最後の日は、始まりの${formatDate(ending.valid_from, { weekday: false })}以後にしてください。` }
        : {};
    setGaps(errors);
    if (errors["/last"] || !day) return;
    const done = await run({ id: ending.id, day, version: ending.version }, (headers) =>
      client.PATCH("/api/v1/user-roles/{user_role_id}", {
        params: { path: { user_role_id: ending.id }, header: { ...headers, "If-Match": etagOf(ending.version) } },
        body: { valid_to: day },
      }),
    );
    await queries.invalidateQueries();
    if (!done) return;
    announce("役割の終わりを設定しました");
    setEnding(undefined);
  };

  const give = async () => {
    const start = parseDate(from)?.date;
    const stop = to.trim() ? parseDate(to)?.date : null;
    const errors: FieldErrors = {
      ...(role ? {} : { "/role": "役割を選んでください。" }),
      ...(start ? {} : { "/valid_from": "開始日を入力してください。例：R7.4.1" }),
      ...(stop === undefined ? { "/valid_to": "終了日を読み取れません。例：R8.3.31" } : {}),
    };
    setGaps(errors);
    if (Object.keys(errors).length > 0 || !start || stop === undefined) return;
    const body = { user_id: user.id, role: role as Role, valid_from: start, valid_to: stop };
    const done = await run(body, (header) =>
      organization.foreign
        ? client.POST("/api/v1/organizations/{organization_id}/user-roles", { params: { path: { organization_id: organization.id }, header }, body })
        : client.POST("/api/v1/user-roles", { params: { header }, body }),
    );
    await queries.invalidateQueries();
    if (!done) return;
    announce("役割を付けました");
    setRole("");
  };

  const errors = { ...fieldErrors(error?.problem), ...gaps };
  const field = fieldsOf("role", errors);
  const stale = newerRecord(error) && { message: "ほかの人が先にこの役割を変更しました。最新の内容を読み込みましたので、確かめてください。" };
  const submit = ending ? end : give;
  return (
    <FormDialog
      open
      wide
      form="role"
      title={`${user.name}さんの役割`}
      submitLabel={ending ? "この日で終える" : "役割を付ける"}
      errors={errors}
      failure={stale ?? error}
      busy={busy}
      dirty={role !== ""}
      onSubmit={() => void submit()}
      onClose={onClose}
    >
      {roles.length === 0 ? (
        <Notice tone="warning" title="役割がありません">
          役割を付けるまで、この人はサインインできません。
        </Notice>
      ) : (
        <Table
          dense
          caption="これまでの役割"
          rows={roles}
          rowKey={({ id }) => id}
          columns={[
            { key: "role", header: "役割", rowHeader: true, cell: (each) => roleWord(each.role) },
            { key: "validity", header: "期間", cell: validity },
            { key: "state", header: "状態", cell: (each) => (isInForce(each) ? "● 有効" : each.valid_from > today ? "▷ これから" : "－ 終了") },
            {
              key: "actions",
              header: "操作",
              screenOnly: true,
              cell: (each) =>
                (each.valid_to ?? "9999") >= today && (
                  <Button
                    variant="danger"
                    size="sm"
                    aria-label={`${roleWord(each.role)}を終える`}
                    onClick={() => {
                      clear();
                      setGaps({});
                      setEnding(each);
                      setLast(formatDateShort(each.valid_to ?? today));
                    }}
                  >
                    終える
                  </Button>
                ),
            },
          ]}
        />
      )}
      {ending ? (
        <fieldset className="grid gap-4 rounded-8 border border-solid-gray-420 p-4">
          <legend className="px-2 font-bold">{roleWord(ending.role)}を終える</legend>
          <DateField label="最後の日" required hint="この日の終わりまで有効です。異動の場合は3月31日です。" value={last} onChange={setLast} {...field("/last")} />
          <div>
            <Button variant="text" size="sm" onClick={() => setEnding(undefined)}>
              終えるのをやめる
            </Button>
          </div>
        </fieldset>
      ) : (
        <fieldset className="grid gap-4 rounded-8 border border-solid-gray-420 p-4">
          <legend className="px-2 font-bold">新しい役割</legend>
          <p>同じ期間に持てる役割は1つです。役割を替えるときは、先に今の役割を終えてください。</p>
          {rolesOf(organization.kind).length > 0 && <RoleChoice kind={organization.kind} value={role} onChange={setRole} {...field("/role")} />}
          <div className="grid items-start gap-x-6 md:grid-cols-2">
            <DateField label="開始日" required value={from} onChange={setFrom} {...field("/valid_from")} />
            <DateField label="終了日" required={false} value={to} onChange={setTo} {...field("/valid_to")} />
          </div>
        </fieldset>
      )}
    </FormDialog>
  );
}
