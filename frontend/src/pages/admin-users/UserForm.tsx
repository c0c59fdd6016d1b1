import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { client, fieldErrors, newerRecord, patchRecord, useWrite, type components } from "../../api";
import { parseDate, todayInJapan } from "../../lib/date";
import { clashes, mergePatch } from "../../lib/patch";
import { announce, Button, DateField, fieldsOf, FormDialog, Notice, RadioGroup, RecordConflict, TextField, type FieldErrors } from "../../ui";
import { firstRoleOf, makePassword, ROLES, rolesOf, type OrganizationKind, type Role } from "./words";

export type User = components["schemas"]["User"];
type Fields = components["schemas"]["UserFields"];

const NAMES: Record<string, string> = { email: "メールアドレス", name: "氏名", kana: "ふりがな", department: "所属部署", title: "役職", active: "有効" };

/** Full-width letters of a mail address are what the IME left behind, never meant. */
const cleanEmail = (typed: string) => typed.normalize("NFKC").trim().toLowerCase();
const filled = (text: string) => text.trim() || null;
const EMAIL = /^[^\s@]+@[^\s@]+\.[^\s@]+$/;

const textsOf = (user?: User) => ({
  email: user?.email ?? "",
  name: user?.name ?? "",
  kana: user?.kana ?? "",
  department: user?.department ?? "",
  title: user?.title ?? "",
});

function fieldsOfTexts(texts: ReturnType<typeof textsOf>, active: boolean): Fields {
  return { email: cleanEmail(texts.email), name: texts.name.trim(), kana: filled(texts.kana), department: filled(texts.department), title: filled(texts.title), active };
}

function check(texts: ReturnType<typeof textsOf>): FieldErrors {
  return {
    ...(texts.name.trim() ? {} : { "/name": "氏名を入力してください。" }),
    ...(EMAIL.test(cleanEmail(texts.email)) ? {} : { "/email": "メールアドレスを入力してください。例：yamada@town.example.jp" }),
  };
}

function PersonFields({ texts, onChange, field }: { texts: ReturnType<typeof textsOf>; onChange: (texts: ReturnType<typeof textsOf>) => void; field: ReturnType<typeof fieldsOf> }) {
  const set = (key: keyof typeof texts) => (value: string) => onChange({ ...texts, [key]: value });
  return (
    <div className="grid items-start gap-x-6 gap-y-5 md:grid-cols-2">
      <TextField label="氏名" required hint="姓と名の間を空けます。例：山田 花子" maxLength={300} value={texts.name} onChange={set("name")} {...field("/name")} />
      <TextField label="ふりがな" required={false} hint="例：やまだ はなこ" maxLength={300} value={texts.kana} onChange={set("kana")} {...field("/kana")} />
      <TextField label="メールアドレス" required type="email" autoComplete="off" hint="サインインに使います" value={texts.email} onChange={set("email")} {...field("/email")} />
      <TextField label="所属部署" required={false} hint="例：福祉課 地域福祉係" maxLength={300} value={texts.department} onChange={set("department")} {...field("/department")} />
      <TextField label="役職" required={false} maxLength={300} value={texts.title} onChange={set("title")} {...field("/title")} />
    </div>
  );
}

export interface Organisation {
  id: string;
  name: string;
  kind: OrganizationKind;
  /** Somebody else's: an operator works through the addresses of that organisation. */
  foreign: boolean;
}

export function RoleChoice({ kind, value, onChange, error, id }: { kind: OrganizationKind; value: string; onChange: (role: string) => void; error?: string; id?: string }) {
  return (
    <div id={id} tabIndex={-1}>
      <RadioGroup label="役割" required value={value} onChange={onChange} error={error} options={rolesOf(kind).map((role) => ({ value: role, label: role, ...ROLES[role] }))} />
    </div>
  );
}

/** A new account with its first role and password: only with both can the person sign in. */
export function NewUserForm({ organization, first, onClose }: { organization: Organisation; first: boolean; onClose: () => void }) {
  const queries = useQueryClient();
  const [texts, setTexts] = useState(() => textsOf());
  const [role, setRole] = useState<string>((first ? firstRoleOf(organization.kind) : rolesOf(organization.kind)[0]) ?? "");
  const [from, setFrom] = useState(todayInJapan());
  const [password, setPassword] = useState(makePassword);
  const [gaps, setGaps] = useState<FieldErrors>({});
  const [done, setDone] = useState(false);
  const { busy, error, run } = useWrite();
  // What already exists when a later step fails: a second try goes on from there.
  const made = useRef<{ user?: string; role?: boolean }>({});

  const save = async () => {
    const start = parseDate(from)?.date;
    const errors: FieldErrors = {
      ...check(texts),
      ...(role ? {} : { "/role": "役割を選んでください。" }),
      ...(start ? {} : { "/valid_from": "役割の開始日を入力してください。例：R7.4.1" }),
      ...(password.length >= 15 ? {} : { "/password": "パスワードは15文字以上にしてください。" }),
    };
    setGaps(errors);
    if (Object.keys(errors).length > 0 || !start) return;
    const person = fieldsOfTexts(texts, true);
    const path = { organization_id: organization.id };
    const { foreign } = organization;
    if (!made.current.user) {
      const created = await run(person, (header) =>
        foreign ? client.POST("/api/v1/organizations/{organization_id}/users", { params: { path, header }, body: person }) : client.POST("/api/v1/users", { params: { header }, body: person }),
      );
      if (!created?.data) return;
      made.current.user = created.data.id;
    }
    const userId = made.current.user;
    if (!made.current.role) {
      const body = { user_id: userId, role: role as Role, valid_from: start };
      const given = await run(body, (header) =>
        foreign ? client.POST("/api/v1/organizations/{organization_id}/user-roles", { params: { path, header }, body }) : client.POST("/api/v1/user-roles", { params: { header }, body }),
      );
      if (!given) return void queries.invalidateQueries();
      made.current.role = true;
    }
    const set = await run({ userId, password }, (header) =>
      client.POST("/api/v1/users/{user_id}/password", { params: { path: { user_id: userId }, header }, body: { password } }).then(() => true),
    );
    await queries.invalidateQueries();
    if (!set) return;
    announce("利用者を登録しました");
    setDone(true);
  };

  const errors = { ...fieldErrors(error?.problem), ...gaps };
  const field = fieldsOf("user", errors);
  return (
    <FormDialog
      open
      wide
      form="user"
      title={`利用者の登録（${organization.name}）`}
      submitLabel={done ? "閉じる" : "登録する"}
      errors={errors}
      failure={error}
      busy={busy}
      dirty={!done && (texts.name !== "" || texts.email !== "")}
      onSubmit={() => (done ? onClose() : void save())}
      onClose={onClose}
    >
      {done ? (
        <Notice tone="success" live title={`${texts.name}さんを登録しました`}>
          <p>次の2つを、本人に直接お伝えください。パスワードはこの画面を閉じると二度と表示されません。</p>
          <dl className="mt-2 grid grid-cols-[auto_1fr] gap-x-4">
            <dt className="font-bold">メールアドレス</dt>
            <dd className="select-all">{cleanEmail(texts.email)}</dd>
            <dt className="font-bold">パスワード</dt>
            <dd className="select-all font-mono">{password}</dd>
          </dl>
        </Notice>
      ) : (
        <>
          {first && <Notice>この団体の最初の利用者です。管理者の役割を選ぶと、この人がほかの利用者を登録できます。</Notice>}
          <PersonFields texts={texts} onChange={setTexts} field={field} />
          <RoleChoice kind={organization.kind} value={role} onChange={setRole} {...field("/role")} />
          <div className="grid items-start gap-x-6 gap-y-5 md:grid-cols-2">
            <DateField label="役割の開始日" required value={from} onChange={setFrom} {...field("/valid_from")} />
            <PasswordField value={password} onChange={setPassword} {...field("/password")} />
          </div>
        </>
      )}
    </FormDialog>
  );
}

function PasswordField({ value, onChange, id, error }: { value: string; onChange: (value: string) => void; id: string; error?: string }) {
  return (
    <TextField
      label="パスワード"
      required
      autoComplete="new-password"
      hint="15文字以上。本人に直接お伝えください。"
      id={id}
      error={error}
      value={value}
      onChange={onChange}
      action={
        <Button variant="secondary" className="shrink-0" onClick={() => onChange(makePassword())}>
          作り直す
        </Button>
      }
    />
  );
}

export function EditUserForm({ user, onClose }: { user: User; onClose: () => void }) {
  const queries = useQueryClient();
  const [base, setBase] = useState(user);
  const [texts, setTexts] = useState(() => textsOf(user));
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run, clear } = useWrite();
  const after = fieldsOfTexts(texts, base.active);
  const save = async (on: User) => {
    const errors = check(texts);
    setGaps(errors);
    if (Object.keys(errors).length > 0) return;
    const done = await run(after, () =>
      patchRecord(on, after, (body, header) => client.PATCH("/api/v1/users/{user_id}", { params: { path: { user_id: on.id }, header }, body })).then(() => true),
    );
    if (!done) return;
    await queries.invalidateQueries();
    announce("利用者を変更しました");
    onClose();
  };
  const newer = newerRecord<User>(error);
  const errors = { ...fieldErrors(error?.problem), ...gaps };
  return (
    <FormDialog
      open
      wide
      form="user"
      title={`${user.name}さんの変更`}
      submitLabel="変更する"
      errors={errors}
      failure={newer ? undefined : error}
      busy={busy}
      dirty={JSON.stringify(texts) !== JSON.stringify(textsOf(base))}
      onSubmit={() => void save(base)}
      onClose={onClose}
    >
      {newer && (
        <RecordConflict
          by={newer.by}
          at={newer.at}
          rows={clashes(base, mergePatch(base, after), newer.record, after).map((key) => ({
            label: NAMES[key] ?? key,
            mine: String(after[key as keyof Fields] ?? ""),
            theirs: String(newer.record[key as keyof User] ?? ""),
          }))}
          onMine={() => void save({ ...base, version: newer.record.version })}
          onTheirs={() => {
            setBase(newer.record);
            setTexts(textsOf(newer.record));
            clear();
          }}
        />
      )}
      <PersonFields texts={texts} onChange={setTexts} field={fieldsOf("user", errors)} />
    </FormDialog>
  );
}

export function PasswordForm({ user, onClose }: { user: User; onClose: () => void }) {
  const [password, setPassword] = useState(makePassword);
  const [done, setDone] = useState(false);
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run } = useWrite();
  const save = async () => {
    const errors: FieldErrors = password.length >= 15 ? {} : { "/password": "パスワードは15文字以上にしてください。" };
    setGaps(errors);
    if (errors["/password"]) return;
    const set = await run({ password }, (header) =>
      client.POST("/api/v1/users/{user_id}/password", { params: { path: { user_id: user.id }, header }, body: { password } }).then(() => true),
    );
    if (set) setDone(true);
  };
  const errors = { ...fieldErrors(error?.problem), ...gaps };
  return (
    <FormDialog
      open
      form="password"
      title={`${user.name}さんのパスワードの設定`}
      submitLabel={done ? "閉じる" : "設定する"}
      errors={errors}
      failure={error}
      busy={busy}
      onSubmit={() => (done ? onClose() : void save())}
      onClose={onClose}
    >
      {done ? (
        <Notice tone="success" live title="パスワードを設定しました">
          <p>本人に直接お伝えください。この画面を閉じると二度と表示されません。</p>
          <p className="select-all font-mono text-lg">{password}</p>
        </Notice>
      ) : (
        <>
          <p>今のパスワードは使えなくなり、{user.name}さんが開いている画面はすべてサインアウトされます。</p>
          <PasswordField value={password} onChange={setPassword} {...fieldsOf("password", errors)("/password")} />
        </>
      )}
    </FormDialog>
  );
}
