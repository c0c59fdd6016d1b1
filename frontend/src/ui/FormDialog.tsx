import { useEffect, useId, useRef, useState, type FormEvent, type ReactNode } from "react";
import { formatInstant } from "../lib/date";
import { Button } from "./Button";
import { ConfirmDialog, Dialog } from "./Dialog";
import { ErrorSummary, Notice } from "./feedback";

/** Messages by JSON pointer of the field: `{ "/name": "名称を入力してください。" }`. */
export type FieldErrors = Partial<Record<string, string>>;

const idOf = (form: string, path: string) => `${form}${path.replaceAll("/", "-")}`;

/** Ties fields to their messages: `<TextField {...field("/name")} …>`. */
export const fieldsOf = (form: string, errors: FieldErrors) => (path: string) => ({ id: idOf(form, path), error: errors[path] });

export interface FormDialogProps {
  open: boolean;
  title: ReactNode;
  /** The verb: 登録する, 変更する. */
  submitLabel: string;
  /** Name of the form, the first argument of `fieldsOf`. */
  form: string;
  errors: FieldErrors;
  /** What the server said to the whole form. */
  failure?: { message: string; requestId?: string };
  busy?: boolean;
  /** Something was typed: closing asks first. */
  dirty?: boolean;
  wide?: boolean;
  /** It is done, and the content says so: only closing is left. */
  finished?: boolean;
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** A form in a modal dialog: errors on top and at the fields, no loss of what was typed by a slip of Esc. */
export function FormDialog({ open, title, submitLabel, form, errors, failure, busy, dirty, wide, finished, onSubmit, onClose, children }: FormDialogProps) {
  const id = useId();
  const [leaving, setLeaving] = useState(false);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!busy) onSubmit();
  };
  // A long form is sent from its end, and what went wrong stands on top.
  const refusal = useRef<HTMLDivElement>(null);
  const refused = failure?.message;
  useEffect(() => {
    if (refused) refusal.current?.focus();
  }, [refused]);
  const leave = () => (dirty && !finished ? setLeaving(true) : onClose());
  const list = Object.entries(errors).flatMap(([path, message]) => (message ? [{ fieldId: idOf(form, path), message }] : []));
  return (
    <>
      <Dialog
        open={open}
        wide={wide}
        title={title}
        onClose={leave}
        actions={
          finished ? (
            <Button onClick={onClose}>閉じる</Button>
          ) : (
            <>
              <Button variant="secondary" onClick={leave}>
                キャンセル
              </Button>
              <Button type="submit" form={id} busy={busy}>
                {submitLabel}
              </Button>
            </>
          )
        }
      >
        <form id={id} noValidate className="grid gap-5" onSubmit={submit}>
          <ErrorSummary errors={list} />
          {failure && list.length === 0 && (
            <div ref={refusal} tabIndex={-1}>
              <Notice tone="error" live title="保存できませんでした">
                <p>{failure.message}</p>
                {failure.requestId && <p className="text-sm">問い合わせ番号：{failure.requestId}</p>}
              </Notice>
            </div>
          )}
          {children}
        </form>
      </Dialog>
      <ConfirmDialog
        open={leaving}
        title="入力した内容を破棄しますか"
        confirmLabel="破棄して閉じる"
        variant="danger"
        onConfirm={() => {
          setLeaving(false);
          onClose();
        }}
        onClose={() => setLeaving(false)}
      >
        <p>まだ保存していません。閉じると、入力した内容は失われます。</p>
      </ConfirmDialog>
    </>
  );
}

/** Takes the focus when it appears: it stands on top of a form that is longer than the window. */
function Arriving({ children }: { children: ReactNode }) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => box.current?.focus(), []);
  return (
    <div ref={box} tabIndex={-1}>
      {children}
    </div>
  );
}

export interface RecordConflictProps {
  rows: readonly { label: string; mine: ReactNode; theirs: ReactNode }[];
  by?: string;
  /** RFC 3339 */
  at?: string;
  onMine: () => void;
  onTheirs: () => void;
}

/** Two people changed the same fields of a record: both contents side by side, and the choice. */
export function RecordConflict({ rows, by, at, onMine, onTheirs }: RecordConflictProps) {
  const who = by ? `${by}さん` : "ほかの人";
  return (
    <Arriving>
      <Notice
        tone="warning"
        live
        title={`編集している間に、${who}が${at ? `${formatInstant(at)}に` : ""}同じ項目を更新しました`}
        actions={
          <>
            <Button variant="secondary" size="sm" onClick={onMine}>
              自分の内容で保存する
            </Button>
            <Button variant="secondary" size="sm" onClick={onTheirs}>
              相手の内容にする
            </Button>
          </>
        }
      >
        <dl className="mt-2 grid gap-2">
          {rows.map(({ label, mine, theirs }) => (
            <div key={label} className="rounded-8 bg-solid-gray-50 px-3 py-2">
              <dt className="font-bold">{label}</dt>
              <dd className="grid gap-x-4 md:grid-cols-2">
                <span className="whitespace-pre-wrap">自分：{mine || "（空欄）"}</span>
                <span className="whitespace-pre-wrap">相手：{theirs || "（空欄）"}</span>
              </dd>
            </div>
          ))}
        </dl>
      </Notice>
    </Arriving>
  );
}
