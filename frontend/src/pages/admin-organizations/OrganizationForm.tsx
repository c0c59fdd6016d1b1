import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { $api, client, fieldErrors, newerRecord, patchRecord, useWrite, type components } from "../../api";
import { cleanCode, isCorporateNumber, isLocalGovernmentCode } from "../../lib/codes";
import { parseDate } from "../../lib/date";
import { clashes, mergePatch } from "../../lib/patch";
import { announce, Combobox, DateField, fieldsOf, FormDialog, RecordConflict, Select, TextArea, TextField, type FieldErrors, type Option } from "../../ui";
import { ORGANIZATION_KINDS, type OrganizationKind } from "../admin-users/words";

export type Organization = components["schemas"]["Organization"];
type Fields = components["schemas"]["OrganizationFields"];

const NAMES: Record<keyof Fields, string> = {
  kind: "種類",
  name: "名称",
  kana: "ふりがな",
  aliases: "別名",
  corporate_number: "法人番号",
  municipality_code: "団体コード",
  prefecture_code: "都道府県",
  parent_id: "上位の団体",
  position: "表示順",
  url: "ウェブサイト",
  phone: "電話番号",
  valid_from: "有効な最初の日",
  valid_to: "有効な最後の日",
  successor_id: "後継の団体",
};

/** Texts as typed. */
interface Draft {
  kind: OrganizationKind;
  name: string;
  kana: string;
  aliases: string;
  corporate: string;
  municipality: string;
  prefecture: string;
  parent: Option | null;
  position: string;
  url: string;
  phone: string;
  from: string;
  to: string;
  successor: Option | null;
}

/** Before its name has been asked for, a reference shows that it is there. */
const reference = (id: string | null | undefined): Option | null => (id ? { value: id, label: "（登録済みの団体）" } : null);

const draftOf = (organization?: Organization): Draft => ({
  kind: organization?.kind ?? "npo",
  name: organization?.name ?? "",
  kana: organization?.kana ?? "",
  aliases: organization?.aliases.join("\n") ?? "",
  corporate: organization?.corporate_number ?? "",
  municipality: organization?.municipality_code ?? "",
  prefecture: organization?.prefecture_code ?? "",
  parent: reference(organization?.parent_id),
  position: String(organization?.position ?? 0),
  url: organization?.url ?? "",
  phone: organization?.phone ?? "",
  from: organization?.valid_from ?? "",
  to: organization?.valid_to ?? "",
  successor: reference(organization?.successor_id),
});

const filled = (text: string) => text.trim() || null;

function fieldsOfDraft(draft: Draft): { fields: Fields; errors: FieldErrors } {
  const corporate = cleanCode(draft.corporate);
  const municipality = cleanCode(draft.municipality);
  const prefecture = cleanCode(draft.prefecture);
  const [from, to] = [draft.from, draft.to].map((typed) => (typed.trim() ? parseDate(typed)?.date : null));
  const errors: FieldErrors = {};
  if (!draft.name.trim()) errors["/name"] = "名称を入力してください。";
  if (corporate && !isCorporateNumber(corporate))
    errors["/corporate_number"] = /^\d{13}$/.test(corporate)
      ? "法人番号の検査数字（1桁目）が合いません。番号をもう一度確かめてください。"
      : "法人番号は13桁の数字で入力してください。";
  if (municipality && !isLocalGovernmentCode(municipality)) errors["/municipality_code"] = codeMessage(municipality);
  if (prefecture && !isLocalGovernmentCode(prefecture)) errors["/prefecture_code"] = codeMessage(prefecture);
  if (!/^-?\d+$/.test(draft.position.normalize("NFKC").trim())) errors["/position"] = "表示順は整数で入力してください。";
  if (from === undefined) errors["/valid_from"] = "有効な最初の日を読み取れません。例：H16.10.1";
  if (to === undefined) errors["/valid_to"] = "有効な最後の日を読み取れません。例：R8.3.31";
  if (from && to && to < from) errors["/valid_to"] = "有効な最後の日は、最初の日以後にしてください。";
  return {
    errors,
    fields: {
      kind: draft.kind,
      name: draft.name.trim(),
      kana: filled(draft.kana),
      aliases: draft.aliases.split("\n").flatMap((line) => filled(line) ?? []),
      corporate_number: corporate || null,
      municipality_code: municipality || null,
      prefecture_code: prefecture || null,
      parent_id: draft.parent?.value ?? null,
      position: Number(draft.position.normalize("NFKC")),
      url: filled(draft.url),
      phone: filled(draft.phone.normalize("NFKC")),
      valid_from: from ?? null,
      valid_to: to ?? null,
      successor_id: draft.successor?.value ?? null,
    },
  };
}

const codeMessage = (code: string) =>
  /^\d{6}$/.test(code) ? "団体コードの検査数字（6桁目）が合いません。番号をもう一度確かめてください。" : "団体コードは検査数字を含む6桁の数字で入力してください。";

const findMunicipalities = async (search: string): Promise<Option[]> => {
  const { data } = await client.GET("/api/v1/municipalities", { params: { query: { search: search || undefined, limit: 20 } } });
  return data?.items.map(({ code, name, prefecture_name: prefecture }) => ({ value: code, label: `${prefecture === name ? name : `${prefecture}${name}`}（${code}）` })) ?? [];
};

const findOrganizations = async (search: string): Promise<Option[]> => {
  const { data } = await client.GET("/api/v1/organizations", { params: { query: { search: search || undefined, limit: 20 } } });
  return data?.items.map(({ id, name }) => ({ value: id, label: name })) ?? [];
};

export function OrganizationForm({ organization, founding, onClose, onSaved }: { organization?: Organization; founding: boolean; onClose: () => void; onSaved: (id: string) => void }) {
  const queries = useQueryClient();
  const [base, setBase] = useState(organization);
  const [draft, setDraft] = useState(() => draftOf(organization));
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run, clear } = useWrite();
  const set =
    <K extends keyof Draft>(key: K) =>
    (value: Draft[K]) =>
      setDraft((now) => ({ ...now, [key]: value }));
  const { fields } = fieldsOfDraft(draft);
  const municipality = useMunicipality(fields.municipality_code);
  const prefecture = useMunicipality(fields.prefecture_code);
  const parent = useNamed(draft.parent);
  const successor = useNamed(draft.successor);

  const save = async (on: Organization | undefined) => {
    const { fields: body, errors } = fieldsOfDraft(draft);
    setGaps(errors);
    if (Object.keys(errors).length > 0) return;
    const id = await run(body, async (header) => {
      if (!on) return (await client.POST("/api/v1/organizations", { params: { header }, body })).data?.id;
      await patchRecord(on, body, (patch, headers) =>
        client.PATCH("/api/v1/organizations/{organization_id}", { params: { path: { organization_id: on.id }, header: headers }, body: patch }),
      );
      return on.id;
    });
    if (!id) return;
    await queries.invalidateQueries();
    announce(organization ? "団体を変更しました" : "団体を登録しました");
    onSaved(id);
  };

  const errors = { ...fieldErrors(error?.problem), ...gaps };
  const field = fieldsOf("organization", errors);
  const newer = newerRecord<Organization>(error);
  return (
    <FormDialog
      open
      wide
      form="organization"
      title={organization ? `${organization.name}の変更` : founding ? "団体の登録（利用者を持つ団体）" : "団体の登録"}
      submitLabel={organization ? "変更する" : "登録する"}
      errors={errors}
      failure={newer ? undefined : error}
      busy={busy}
      dirty={JSON.stringify(draft) !== JSON.stringify(draftOf(base))}
      onSubmit={() => void save(base)}
      onClose={onClose}
    >
      {newer && base && (
        <RecordConflict
          by={newer.by}
          at={newer.at}
          rows={clashes(base, mergePatch(base, fields), newer.record, fields).map((key) => ({
            label: NAMES[key as keyof Fields],
            mine: words(key as keyof Fields, fields),
            theirs: words(key as keyof Fields, newer.record),
          }))}
          onMine={() => void save({ ...base, version: newer.record.version })}
          onTheirs={() => {
            setBase(newer.record);
            setDraft(draftOf(newer.record));
            clear();
          }}
        />
      )}
      <div className="grid items-start gap-x-6 gap-y-5 md:grid-cols-2">
        <TextField className="md:col-span-2" label="名称" required hint="略さない正式な名称" maxLength={300} value={draft.name} onChange={set("name")} {...field("/name")} />
        <TextField label="ふりがな" required={false} maxLength={300} value={draft.kana} onChange={set("kana")} {...field("/kana")} />
        <Select
          label="種類"
          required
          value={draft.kind}
          onChange={(value) => set("kind")(value as OrganizationKind)}
          options={Object.entries(ORGANIZATION_KINDS).map(([value, label]) => ({ value, label }))}
        />
        <TextField
          label="法人番号"
          required={false}
          inputMode="numeric"
          hint="13桁。全角でも入力できます"
          value={draft.corporate}
          onChange={set("corporate")}
          {...field("/corporate_number")}
        />
        <TextField label="表示順" required={false} inputMode="numeric" hint="建制順など。小さい数から並びます" value={draft.position} onChange={set("position")} {...field("/position")} />
      </div>
      <fieldset className="rounded-8 border border-solid-gray-420 p-4">
        <legend className="px-2 font-bold">所在地</legend>
        <div className="grid items-start gap-x-6 gap-y-5 md:grid-cols-2">
          <Combobox
            label="市区町村を名前から選ぶ"
            hint="選ぶと、下のコードが入ります"
            value={municipality && { value: municipality.code, label: municipality.label }}
            onChange={async (option) => {
              const found = option && (await municipalityOf(option.value));
              setDraft((now) => ({ ...now, municipality: option?.value ?? "", prefecture: found ? found.prefecture : now.prefecture }));
            }}
            search={findMunicipalities}
          />
          <span className="hidden md:block" />
          <TextField
            label="全国地方公共団体コード（市区町村）"
            required={false}
            inputMode="numeric"
            hint={municipality ? `${municipality.label}です` : "検査数字を含む6桁"}
            value={draft.municipality}
            onChange={set("municipality")}
            {...field("/municipality_code")}
          />
          <TextField
            label="全国地方公共団体コード（都道府県）"
            required={false}
            inputMode="numeric"
            hint={prefecture ? `${prefecture.label}です。この都道府県が、提出された記録を集めます` : "検査数字を含む6桁。例：310000"}
            value={draft.prefecture}
            onChange={set("prefecture")}
            {...field("/prefecture_code")}
          />
        </div>
      </fieldset>
      <div className="grid items-start gap-x-6 gap-y-5 md:grid-cols-2">
        <Combobox label="上位の団体" required={false} hint="課であれば町など、属する団体" value={parent} onChange={set("parent")} search={findOrganizations} {...field("/parent_id")} />
        <TextArea label="別名" required={false} hint="1行に1つ。検索に使います" rows={2} value={draft.aliases} onChange={set("aliases")} {...field("/aliases")} />
        <TextField label="電話番号" required={false} type="tel" hint="例：0859-66-0000" value={draft.phone} onChange={set("phone")} {...field("/phone")} />
        <TextField label="ウェブサイト" required={false} type="url" hint="https:// で始まるアドレス" value={draft.url} onChange={set("url")} {...field("/url")} />
        <DateField label="有効な最初の日" required={false} value={draft.from} onChange={set("from")} {...field("/valid_from")} />
        <DateField label="有効な最後の日" required={false} hint="廃止や合併の日。名前は記録に残ります" value={draft.to} onChange={set("to")} {...field("/valid_to")} />
        <Combobox label="後継の団体" required={false} hint="合併や改組の後の団体" value={successor} onChange={set("successor")} search={findOrganizations} {...field("/successor_id")} />
      </div>
    </FormDialog>
  );
}

async function municipalityOf(code: string) {
  const { data } = await client.GET("/api/v1/municipalities", { params: { query: { search: code, limit: 20 } } });
  const found = data?.items.find((each) => each.code === code);
  return found && { code, label: found.prefecture_name === found.name ? found.name : `${found.prefecture_name}${found.name}`, prefecture: found.prefecture_code };
}

/** What a code stands for: the answer to a mistyped one. */
function useMunicipality(code: string | null | undefined) {
  const valid = Boolean(code && isLocalGovernmentCode(code));
  const { data } = $api.useQuery("get", "/api/v1/municipalities", { params: { query: { search: code ?? "", limit: 20 } } }, { enabled: valid });
  const found = valid ? data?.items.find((each) => each.code === code) : undefined;
  return found ? { code: found.code, label: found.prefecture_name === found.name ? found.name : `${found.prefecture_name}${found.name}` } : null;
}

function useNamed(option: Option | null): Option | null {
  const { data } = $api.useQuery("get", "/api/v1/organizations/{organization_id}", { params: { path: { organization_id: option?.value ?? "" } } }, { enabled: option !== null });
  return option && (data ? { value: option.value, label: data.name } : option);
}

function words(key: keyof Fields, fields: Fields): string {
  if (key === "kind") return ORGANIZATION_KINDS[fields.kind];
  const value = fields[key];
  return Array.isArray(value) ? value.join("\n") : String(value ?? "");
}
