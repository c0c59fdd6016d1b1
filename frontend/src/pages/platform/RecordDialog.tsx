import { useQueryClient } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { fieldErrors, newerRecord, patchRecord, useWrite } from "../../api";
import { clashes, mergePatch, sameValue } from "../../lib/patch";
import { announce, Button, fieldsOf, FormDialog, RecordConflict, type FieldErrors } from "../../ui";

/** A value of any field in words, for the comparison of two contents. */
function inWords(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (Array.isArray(value)) return value.map(inWords).join("\n");
  if (typeof value === "object") return Object.values(value).map(inWords).filter(Boolean).join("　");
  return String(value);
}

type Key = { "Idempotency-Key": string };

export interface RecordDialogProps<R extends { version: number }, D, F extends object> {
  title: string;
  submitLabel: string;
  /** The record to change; without it, a new one is made. */
  record?: R;
  /** The form's own shape, texts as typed. */
  toDraft: (record: R | undefined) => D;
  /** What the API gets, and what is wrong with it, by JSON pointer. */
  toFields: (draft: D) => { fields: F; errors: FieldErrors };
  /** Names of the fields, where two people changed the same one. */
  names: Partial<Record<keyof F, string>>;
  create?: (fields: F, headers: Key) => Promise<unknown>;
  update?: (patch: Partial<F>, headers: Key & { "If-Match": string }) => Promise<unknown>;
  wide?: boolean;
  onClose: () => void;
  /** With the answer of `create`. */
  onSaved?: (created: unknown) => void;
  children: (form: { draft: D; set: (change: Partial<D>) => void; field: ReturnType<typeof fieldsOf> }) => ReactNode;
}

/** A record in a dialog: new, or changed field by field so that changes of two people meet only where they must. */
export function RecordDialog<R extends { version: number }, D extends object, F extends object>(props: RecordDialogProps<R, D, F>) {
  const { record, toDraft, toFields, names, create, update, onClose } = props;
  const queries = useQueryClient();
  const [base, setBase] = useState(record);
  const [start] = useState(() => toDraft(record));
  const [draft, setDraft] = useState(start);
  const [gaps, setGaps] = useState<FieldErrors>({});
  const { busy, error, run, clear } = useWrite();

  const save = async (content: D, on: R | undefined) => {
    const { fields, errors } = toFields(content);
    setGaps(errors);
    if (Object.keys(errors).length > 0) return;
    const done = await run([on?.version, fields], async (headers) => {
      if (on && update) await patchRecord(on, fields, update);
      return on ? { created: undefined } : { created: await create?.(fields, headers) };
    });
    if (!done) return;
    await queries.invalidateQueries();
    announce("保存しました");
    onClose();
    props.onSaved?.(done.created);
  };

  const newer = newerRecord<R>(error);
  const { fields } = toFields(draft);
  const before = toFields(toDraft(base)).fields;
  const changed = mergePatch(before, fields);
  const clashing = newer && base ? clashes(base, changed, newer.record, fields) : [];

  /** My changes on top of the newer version; of what both changed, mine or theirs. */
  const rebase = (mine: boolean) => {
    if (!newer) return;
    const kept = Object.entries(fields).filter(([key]) => key in changed && (mine || !clashing.includes(key)));
    const next = toDraft({ ...newer.record, ...Object.fromEntries(kept) });
    setBase(newer.record);
    setDraft(next);
    clear();
    if (mine) void save(next, newer.record);
  };

  return (
    <FormDialog
      open
      form="record"
      title={props.title}
      submitLabel={props.submitLabel}
      wide={props.wide}
      busy={busy}
      dirty={!sameValue(start, draft)}
      errors={{ ...fieldErrors(error?.problem), ...gaps }}
      failure={error && !newer ? { message: error.message, requestId: error.status >= 500 ? error.requestId : undefined } : undefined}
      onSubmit={() => void save(draft, base)}
      onClose={onClose}
    >
      {newer && (
        <RecordConflict
          by={newer.by}
          at={newer.at}
          rows={clashing.map((key) => ({
            label: names[key as keyof F] ?? key,
            mine: inWords(fields[key as keyof F]),
            theirs: inWords((newer.record as Record<string, unknown>)[key]),
          }))}
          onMine={() => rebase(true)}
          onTheirs={() => rebase(false)}
        />
      )}
      {props.children({
        draft,
        set: (change) => setDraft((now) => ({ ...now, ...change })),
        field: fieldsOf("record", { ...fieldErrors(error?.problem), ...gaps }),
      })}
    </FormDialog>
  );
}

export interface RowsProps<T> {
  /** What one row is: 立ち上げ, 実施時期. */
  label: string;
  rows: readonly T[];
  onChange: (rows: T[]) => void;
  blank: NoInfer<T>;
  children: (row: T, set: (change: Partial<T>) => void, index: number) => ReactNode;
}

/** Rows of a form in their order: add, move, remove. */
export function Rows<T extends object>({ label, rows, onChange, blank, children }: RowsProps<T>) {
  const put = (index: number, row: T) => onChange(rows.map((old, at) => (at === index ? row : old)));
  const swap = (index: number, other: number) => {
    const next = [...rows];
    const [a, b] = [rows[index], rows[other]];
    if (a === undefined || b === undefined) return;
    [next[index], next[other]] = [b, a];
    onChange(next);
  };
  return (
    <fieldset className="grid gap-3">
      <legend className="mb-1 font-bold">{label}</legend>
      {rows.length === 0 && <p className="text-solid-gray-700">まだありません。</p>}
      {rows.map((row, index) => (
        // Rows have no identity of their own: their place is what names them.
        <div key={index} role="group" aria-label={`${label} ${index + 1}`} className="rounded-8 border border-solid-gray-420 p-3">
          <div className="mb-2 flex flex-wrap items-center justify-between gap-2">
            <span className="text-sm font-bold">
              {label} {index + 1}
            </span>
            <span className="flex flex-wrap gap-1">
              {index > 0 && (
                <Button variant="text" size="sm" aria-label={`${label} ${index + 1}を上へ`} onClick={() => swap(index, index - 1)}>
                  ↑ 上へ
                </Button>
              )}
              {index < rows.length - 1 && (
                <Button variant="text" size="sm" aria-label={`${label} ${index + 1}を下へ`} onClick={() => swap(index, index + 1)}>
                  ↓ 下へ
                </Button>
              )}
              <Button variant="text" size="sm" aria-label={`${label} ${index + 1}を取り除く`} onClick={() => onChange(rows.filter((_, at) => at !== index))}>
                取り除く
              </Button>
            </span>
          </div>
          {children(row, (change) => put(index, { ...row, ...change }), index)}
        </div>
      ))}
      <div>
        <Button variant="secondary" size="sm" onClick={() => onChange([...rows, blank])}>
          {label}を追加
        </Button>
      </div>
    </fieldset>
  );
}
