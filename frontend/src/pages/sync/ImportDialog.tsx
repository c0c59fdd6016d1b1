import { useNavigate } from "@tanstack/react-router";
import { useId, useState } from "react";
import { client, fieldErrors, useWrite, writeHeaders, type components } from "../../api";
import { announce, Checkbox, fieldsOf, FormDialog, Select, TextField, type FieldErrors } from "../../ui";
import { upload } from "./upload";
import { FILE_KINDS } from "./words";

type Fields = components["schemas"]["ImportFields"];

const formatOf = (name: string): Fields["format"] => (/\.xlsx$/i.test(name) ? "xlsx" : /\.(ndjson|jsonl)$/i.test(name) ? "ndjson" : "csv");

/** A file, its kind, and a dry run: what it would do is seen before anything is written. */
export function ImportDialog({ entity: known = "", source: from = "", onClose }: { entity?: string; source?: string; onClose: () => void }) {
  const navigate = useNavigate();
  const fileId = useId();
  const [file, setFile] = useState<File>();
  const [entity, setEntity] = useState(known);
  const [source, setSource] = useState(from);
  const [full, setFull] = useState(false);
  const [sent, setSent] = useState(0);
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run } = useWrite();
  const start = async () => {
    const missing: FieldErrors = {
      ...(file ? {} : { "/file": "取り込むファイルを選んでください。" }),
      ...(entity ? {} : { "/entity": "記録の種類を選んでください。" }),
      ...(full && !source.trim() ? { "/source": "全件の一覧のときは、IDを付けたシステムの名前を入力してください。" } : {}),
    };
    setGaps(missing);
    if (Object.keys(missing).length > 0 || !file) return;
    const body: Fields = { file_name: file.name, format: formatOf(file.name), entity: entity as Fields["entity"], source: source.trim() || null, mode: "per_row", full_list: full };
    const begun = await run([body, file.size, file.lastModified], async (header) => {
      const { data } = await client.POST("/api/v1/imports", { params: { header }, body });
      if (!data) return undefined;
      await upload(data.id, file, setSent);
      return (await client.POST("/api/v1/imports/{import_id}/run", { params: { path: { import_id: data.id }, header: writeHeaders() }, body: { dry_run: true } })).data;
    });
    if (!begun) return;
    announce("試行を始めました");
    onClose();
    await navigate({ to: "/sync/$runId", params: { runId: begun.id } });
  };
  const errors = { ...fieldErrors(error?.problem), ...gaps };
  const field = fieldsOf("import", errors);
  return (
    <FormDialog open form="import" title="ファイルの取り込み" submitLabel="試してみる" errors={errors} failure={error} busy={busy} dirty={file !== undefined} onSubmit={() => void start()} onClose={onClose}>
      <p>まず試行して結果を確かめます。この段階では何も書き込みません。</p>
      <div>
        <label htmlFor={field("/file").id} className="font-bold">
          ファイル
        </label>
        <p id={`${fileId}-hint`} className="text-sm text-solid-gray-700">
          CSV（UTF-8・Shift_JIS）、Excel（.xlsx）。1行目は項目名にしてください。
        </p>
        <input
          id={field("/file").id}
          type="file"
          accept=".csv,.tsv,.txt,.xlsx,.ndjson,.jsonl"
          aria-describedby={`${fileId}-hint`}
          aria-invalid={errors["/file"] ? true : undefined}
          className="mt-2 block w-full rounded-8 border border-solid-gray-600 p-2"
          onChange={(event) => setFile(event.target.files?.[0])}
        />
        {errors["/file"] && <p className="text-error-2">{errors["/file"]}</p>}
      </div>
      <Select label="記録の種類" required value={entity} onChange={setEntity} options={[{ value: "", label: "選んでください" }, ...FILE_KINDS]} {...field("/entity")} />
      <TextField label="IDを付けたシステム" required={false} hint="「外部ID」の列があるときに入力します。例：kintone" maxLength={300} value={source} onChange={setSource} {...field("/source")} />
      <Checkbox label="このシステムの全件の一覧" hint="ファイルにない記録を削除の候補として示します。すぐには削除しません。" checked={full} onChange={setFull} />
      {busy && file && <p role="status">送信しています（{Math.floor((100 * sent) / Math.max(file.size, 1))}％）</p>}
    </FormDialog>
  );
}
