import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { $api, client, etagOf, may, mayEdit, useEveryPage, useIdentity, writeHeaders, type components } from "../../api";
import { currentFiscalYear, fiscalYearEnd, formatDate, formatDateShort, parseDate, todayInJapan } from "../../lib/date";
import type { Prose } from "../../lib/prose";
import {
  Button,
  DateField,
  EditableProse,
  EmptyState,
  HistoryLink,
  Notice,
  PrivacyHint,
  QueryView,
  RadioGroup,
  Select,
  Table,
  TextArea,
  TextField,
  useFiscalYear,
  useSearchParam,
  type FieldErrors,
} from "../../ui";
import { optionsOf } from "../kpi/words";
import { proseConflict } from "./proseConflict";
import { RecordDialog } from "./RecordDialog";
import { filled, MEMBER_KINDS, MEMBER_ROLES, readOnlyReason, type Platform } from "./words";

type Schemas = components["schemas"];
type Member = Schemas["Member"];
type Fields = Schemas["MemberFields"];

/** The day whose members are shown: today within the chosen fiscal year, else its last day. */
const dayOf = (year: number) => (year === currentFiscalYear() ? todayInJapan() : fiscalYearEnd(year));

interface Placed {
  member: Member;
  depth: number;
}

/** Each network with its members below it, otherwise in the declared order. */
export function placed(members: readonly Member[]): Placed[] {
  const ids = new Set(members.map(({ id }) => id));
  const below = (parent: string | null, depth: number): Placed[] =>
    members
      // A network that has ended before its members leaves them at the top.
      .filter(({ parent_id: its }) => (its && ids.has(its) ? its : null) === parent)
      .flatMap((member) => [{ member, depth }, ...below(member.id, depth + 1)]);
  return below(null, 0);
}

export function Members({ platform }: { platform: Platform }) {
  const identity = useIdentity();
  const queries = useQueryClient();
  const year = useFiscalYear();
  const [raw, setOn] = useSearchParam("on");
  const on = raw && /^\d{4}-\d{2}-\d{2}$/.test(raw) ? raw : dayOf(year);
  const [form, setForm] = useState<{ member?: Member; ending?: boolean }>();
  const editor = may(identity, "members", "create", platform);
  const members = useEveryPage(["members", platform.id, on], (after) =>
    client.GET("/api/v1/members", { params: { query: { platform_id: platform.id, on, after, limit: 200 } } }).then(({ data }) => data ?? { items: [] }),
  );
  const count = $api.useQuery("get", "/api/v1/platforms/{platform_id}/member-count", { params: { path: { platform_id: platform.id }, query: { on } } });
  const add = editor && (
    <Button size="sm" onClick={() => setForm({})}>
      メンバーを追加
    </Button>
  );

  return (
    <div className="grid grid-cols-1 gap-6">
      <div className="flex flex-wrap items-end justify-between gap-4">
        <div>
          <p className="text-xl font-bold" aria-live="polite">
            {count.data ? `${count.data.total}団体（${formatDate(on, { weekday: false })}現在）` : `${formatDate(on, { weekday: false })}現在`}
          </p>
          {count.data && (
            <p className="text-sm">
              内訳：団体 {count.data.organizations}、区分 {count.data.categories}、ネットワーク {count.data.networks}
            </p>
          )}
        </div>
        <div className="no-print flex flex-wrap items-end gap-3">
          <AsOf key={on} on={on} onChange={(day) => setOn(day === dayOf(year) ? undefined : day)} />
          {add}
        </div>
      </div>
      {platform.members_note && <p className="whitespace-pre-wrap">{platform.members_note}</p>}
      <QueryView query={members} what="メンバー">
        {(rows) =>
          rows.length === 0 ? (
            <EmptyState title={`${formatDate(on, { weekday: false })}現在のメンバーはいません`} actions={add}>
              別の日を選ぶか、メンバーを追加してください。
            </EmptyState>
          ) : (
            <Table
              caption={`${formatDate(on, { weekday: false })}現在の参画メンバー`}
              captionHidden
              rows={placed(rows)}
              rowKey={({ member }) => member.id}
              columns={[
                {
                  key: "label",
                  header: "名称",
                  rowHeader: true,
                  width: "20rem",
                  cell: ({ member, depth }) => (
                    <span className="flex gap-1" style={{ paddingInlineStart: `${depth * 1.5}rem` }}>
                      {depth > 0 && (
                        <span>
                          └<span className="sr-only">（上の団体の構成員）</span>
                        </span>
                      )}
                      <span className="min-w-0">{member.label}</span>
                    </span>
                  ),
                },
                { key: "kind", header: "種類", width: "9rem", cell: ({ member }) => MEMBER_KINDS[member.kind] },
                {
                  key: "role",
                  header: "役割・会員の区分",
                  width: "12rem",
                  cell: ({ member }) => (
                    <>
                      {MEMBER_ROLES[member.role]}
                      {member.class && <span className="block text-sm">{member.class}</span>}
                    </>
                  ),
                },
                {
                  key: "since",
                  header: "参画期間",
                  width: "11rem",
                  cell: ({ member }) => (
                    <>
                      {member.joined_text ?? (member.joined_on ? `${formatDateShort(member.joined_on)}～` : "当初から")}
                      {member.left_on && <span className="block">{formatDateShort(member.left_on)} 退会</span>}
                    </>
                  ),
                },
                {
                  key: "linkage",
                  header: "連携内容・備考",
                  width: "14rem",
                  cell: ({ member }) => (
                    <>
                      {member.linkage && <span className="block whitespace-pre-wrap">{member.linkage}</span>}
                      {member.note && <span className="block whitespace-pre-wrap text-sm">{member.note}</span>}
                    </>
                  ),
                },
                ...(rows.some((member) => may(identity, "members", "update", { ...member, slotOf: member.organization_id }))
                  ? [
                      {
                        key: "actions",
                        header: <span className="sr-only">操作</span>,
                        width: "10rem",
                        cell: ({ member }: Placed) => (
                          <span className="no-print -my-2 flex flex-wrap gap-1">
                            {may(identity, "members", "update", { ...member, slotOf: member.organization_id }) && (
                              <Button variant="text" size="sm" aria-label={`${member.label}を編集`} onClick={() => setForm({ member })}>
                                編集
                              </Button>
                            )}
                            {editor && !member.left_on && (
                              <Button variant="text" size="sm" aria-label={`${member.label}の退会を記録`} onClick={() => setForm({ member, ending: true })}>
                                退会
                              </Button>
                            )}
                            <HistoryLink entity="members" id={member.id} name={member.label}>
                              履歴
                            </HistoryLink>
                          </span>
                        ),
                      },
                    ]
                  : []),
              ]}
            />
          )
        }
      </QueryView>
      <section className="keep-together rounded-8 border border-solid-gray-420 p-4">
        <h3 className="mb-2">選出・打診時の工夫</h3>
        <EditableProse
          label="選出・打診時の工夫"
          value={platform.selection_notes as Prose}
          etag={etagOf(platform.version)}
          draftKey={`platforms/${platform.id}/selection_notes`}
          readOnlyReason={readOnlyReason(mayEdit(identity, "platforms", platform), platform)}
          onSave={async (prose, etag) => {
            const { data } = await client.PATCH("/api/v1/platforms/{platform_id}", {
              params: { path: { platform_id: platform.id }, header: writeHeaders(etag) },
              body: { selection_notes: prose },
            });
            await queries.invalidateQueries({ queryKey: ["get", "/api/v1/platforms/{platform_id}"] });
            return { etag: etagOf(data?.version ?? platform.version) };
          }}
          toConflict={proseConflict("selection_notes")}
        />
      </section>
      {form && (
        <MemberForm
          platform={platform}
          member={form.member}
          ending={form.ending}
          networks={(members.data ?? []).filter(({ kind, id }) => kind !== "category" && id !== form.member?.id)}
          onClose={() => setForm(undefined)}
        />
      )}
    </div>
  );
}

/** Chooses the day by typing; the list follows when the date is complete. */
function AsOf({ on, onChange }: { on: string; onChange: (day: string) => void }) {
  const [typed, setTyped] = useState(formatDate(on, { weekday: false }));
  const parsed = parseDate(typed)?.date;
  return (
    <form
      className="flex items-end gap-2"
      onSubmit={(event) => {
        event.preventDefault();
        if (parsed) onChange(parsed);
      }}
    >
      <TextField
        label="いつ現在のメンバー"
        size="sm"
        className="w-64"
        value={typed}
        onChange={setTyped}
        error={parsed ? undefined : "日付を 令和7年9月30日 または R7.9.30 のように入力してください。"}
      />
      <Button type="submit" variant="secondary" size="sm">
        表示
      </Button>
    </form>
  );
}

const NAMES: Partial<Record<keyof Fields, string>> = {
  kind: "種類",
  label: "名称",
  organization_id: "登録済みの組織",
  parent_id: "所属するネットワーク・部局",
  role: "役割",
  class: "会員の区分",
  linkage: "連携内容",
  joined_on: "参画日",
  left_on: "退会日",
  joined_text: "参画時期の原文表記",
  note: "備考",
};

interface Draft {
  kind: Fields["kind"];
  label: string;
  organizationId: string | null;
  parentId: string;
  role: NonNullable<Fields["role"]>;
  class: string;
  linkage: string;
  joined: string;
  left: string;
  joinedText: string;
  note: string;
}

const toDraft = (member: Member | undefined): Draft => ({
  kind: member?.kind ?? "organization",
  label: member?.label ?? "",
  organizationId: member?.organization_id ?? null,
  parentId: member?.parent_id ?? "",
  role: member?.role ?? "member",
  class: member?.class ?? "",
  linkage: member?.linkage ?? "",
  joined: member?.joined_on ?? "",
  left: member?.left_on ?? "",
  joinedText: member?.joined_text ?? "",
  note: member?.note ?? "",
});

interface MemberFormProps {
  platform: Platform;
  member?: Member;
  /** Only the day of leaving is asked. */
  ending?: boolean;
  networks: readonly Member[];
  onClose: () => void;
}

function MemberForm({ platform, member, ending, networks, onClose }: MemberFormProps) {
  const identity = useIdentity();
  // A member organisation keeps what it says of itself; the membership is the platform owner's.
  const owner = may(identity, "members", "update", { owner_org_id: platform.owner_org_id });
  const toFields = (draft: Draft): { fields: Fields; errors: FieldErrors } => {
    const errors: FieldErrors = {};
    const joined = parseDate(draft.joined)?.date ?? null;
    const left = parseDate(draft.left)?.date ?? null;
    if (!draft.label.trim()) errors["/label"] = "名称を入力してください。";
    if (draft.joined.trim() && !joined) errors["/joined_on"] = "参画日を 令和6年4月1日 のように入力してください。";
    if (draft.left.trim() && !left) errors["/left_on"] = "退会日を 令和7年3月31日 のように入力してください。";
    if (ending && !draft.left.trim()) errors["/left_on"] = "退会日を入力してください。";
    if (joined && left && left < joined) errors["/left_on"] = "退会日は参画日より後の日にしてください。";
    return {
      errors,
      fields: {
        platform_id: platform.id,
        kind: draft.kind,
        label: draft.label.trim(),
        organization_id: draft.kind === "category" ? null : draft.organizationId,
        parent_id: draft.parentId || null,
        role: draft.role,
        class: filled(draft.class),
        linkage: filled(draft.linkage),
        joined_on: joined,
        left_on: left,
        joined_text: filled(draft.joinedText),
        note: filled(draft.note),
      },
    };
  };
  return (
    <RecordDialog<Member, Draft, Fields>
      title={ending ? `「${member?.label}」の退会を記録` : member ? `「${member.label}」を編集` : "メンバーを追加"}
      submitLabel={ending ? "退会を記録する" : member ? "変更する" : "追加する"}
      record={member}
      toDraft={toDraft}
      toFields={toFields}
      names={NAMES}
      create={(body, header) => client.POST("/api/v1/members", { params: { header }, body })}
      update={(body, header) => client.PATCH("/api/v1/members/{member_id}", { params: { path: { member_id: member?.id ?? "" }, header }, body })}
      onClose={onClose}
    >
      {({ draft, set, field }) =>
        ending ? (
          <>
            <p>退会日からは、メンバーの一覧と団体数に含まれません。それ以前の記録は残ります。</p>
            <DateField {...field("/left_on")} label="退会日（メンバーでなくなる最初の日）" required value={draft.left} onChange={(left) => set({ left })} />
          </>
        ) : (
          <>
            {owner && (
              <RadioGroup
                label="種類"
                required
                value={draft.kind}
                onChange={(kind) => set({ kind: kind as Draft["kind"] })}
                options={[
                  { value: "organization", label: "団体", hint: "一つの組織" },
                  { value: "category", label: "区分", hint: "NPO法人、IT企業のように、名前を挙げない団体のまとまり" },
                  { value: "network", label: "ネットワーク", hint: "構成員をその下に登録できます" },
                ]}
              />
            )}
            {owner && draft.kind !== "category" && (
              <OrganizationPicker
                chosen={draft.organizationId}
                onChoose={(organization) => set({ organizationId: organization?.id ?? null, ...(organization && !draft.label.trim() && { label: organization.name }) })}
              />
            )}
            <TextField {...field("/label")} label="名称" required hint="プラットフォームの資料に載せる名称です。" value={draft.label} onChange={(label) => set({ label })} />
            {owner && (
              <>
                <div className="grid gap-5 md:grid-cols-2">
                  <Select {...field("/role")} label="役割" required value={draft.role} onChange={(role) => set({ role: role as Draft["role"] })} options={optionsOf(MEMBER_ROLES)} />
                  <TextField {...field("/class")} label="会員の区分" required={false} hint="例：参画団体、一般団体、協力会員" value={draft.class} onChange={(value) => set({ class: value })} />
                </div>
                <Select
                  {...field("/parent_id")}
                  label="所属するネットワーク・部局"
                  required={false}
                  value={draft.parentId}
                  onChange={(parentId) => set({ parentId })}
                  options={[{ value: "", label: "なし" }, ...networks.map(({ id, label }) => ({ value: id, label }))]}
                />
                <div className="grid gap-5 md:grid-cols-2">
                  <DateField {...field("/joined_on")} label="参画日" required={false} hint="空欄は「当初から」です。" value={draft.joined} onChange={(joined) => set({ joined })} />
                  <DateField {...field("/left_on")} label="退会日" required={false} hint="メンバーでなくなる最初の日です。" value={draft.left} onChange={(left) => set({ left })} />
                </div>
                <TextField {...field("/joined_text")} label="参画時期の原文表記" required={false} value={draft.joinedText} onChange={(joinedText) => set({ joinedText })} />
              </>
            )}
            <TextArea {...field("/linkage")} label="連携内容" required={false} rows={3} hint={<PrivacyHint />} value={draft.linkage} onChange={(linkage) => set({ linkage })} />
            <TextArea {...field("/note")} label="備考" required={false} rows={2} value={draft.note} onChange={(note) => set({ note })} />
          </>
        )
      }
    </RecordDialog>
  );
}

interface Organization {
  id: string;
  name: string;
}

/** Ties a member to an organisation that is already known, found by name or reading. */
function OrganizationPicker({ chosen, onChoose }: { chosen: string | null; onChoose: (organization: Organization | undefined) => void }) {
  const [typed, setTyped] = useState("");
  const [asked, setAsked] = useState("");
  const current = $api.useQuery("get", "/api/v1/organizations/{organization_id}", { params: { path: { organization_id: chosen ?? "" } } }, { enabled: chosen !== null });
  const found = $api.useQuery("get", "/api/v1/organizations", { params: { query: { search: asked, limit: 20 } } }, { enabled: asked !== "" });
  if (chosen) {
    return (
      <div>
        <p className="font-bold">登録済みの組織</p>
        <p className="flex flex-wrap items-center gap-3">
          {current.data?.name ?? "…"}
          <Button variant="secondary" size="sm" onClick={() => onChoose(undefined)}>
            結び付けを外す
          </Button>
        </p>
      </div>
    );
  }
  return (
    <div className="grid gap-2">
      <TextField
        label="登録済みの組織を探す"
        required={false}
        hint="結び付けると、その組織の担当者がこのプラットフォームを閲覧できます。"
        value={typed}
        onChange={setTyped}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.nativeEvent.isComposing) return;
          event.preventDefault();
          setAsked(typed.trim());
        }}
        action={
          <Button variant="secondary" className="shrink-0" onClick={() => setAsked(typed.trim())}>
            探す
          </Button>
        }
      />
      {found.error && (
        <Notice tone="error" live>
          {found.error instanceof Error ? found.error.message : "検索できませんでした。"}
        </Notice>
      )}
      {found.data && (
        <div role="status">
          {found.data.items.length === 0 && <p>見つかりません。結び付けずに名称だけでも追加できます。</p>}
          <ul className="flex flex-wrap gap-2">
            {found.data.items.map(({ id, name }) => (
              <li key={id}>
                <Button variant="secondary" size="sm" onClick={() => onChoose({ id, name })}>
                  {name}
                </Button>
              </li>
            ))}
          </ul>
        </div>
      )}
    </div>
  );
}
