import { useCallback, useEffect, useEffectEvent, useId, useRef, useState, type ReactNode } from "react";
import { readDraft, writeDraft, type Draft } from "../lib/drafts";
import { announce } from "./announce";
import { Button } from "./Button";
import { ConflictDialog, type TextConflict } from "./ConflictDialog";
import { PrivacyHint, useComposing } from "./fields";

type State =
  | { name: "idle" | "dirty" | "saving" | "saved" }
  /** The server refused or was not reached; the draft waits. */
  | { name: "failed"; message: string }
  | { name: "conflict"; conflict: TextConflict }
  /** Esc threw the text away; it can be brought back. */
  | { name: "undone"; draft: Draft };

const IDLE_MS = 3000;
/** The record changed elsewhere, our field did not: try again on the new version, but not for ever. */
const MAX_REBASES = 3;

export interface EditableTextProps {
  /** Name of the field, e.g. 今年度のゴール or the row and column of a cell. */
  label: string;
  /** The text on the server, and the ETag of its record. */
  value: string;
  etag: string;
  /** Unique per record and field: `roadmap-items/<id>/planned`. */
  draftKey: string;
  /** Writes the text with `If-Match: etag`; resolves with the record's new ETag. */
  onSave: (text: string, etag: string) => Promise<{ etag: string }>;
  /** Reads the other side out of a refused write (api's `textConflict`), else null. */
  toConflict: (error: unknown) => TextConflict | null;
  /** Shown when the text is empty. */
  emptyLabel?: string;
  readOnlyReason?: string;
  /** The label is already visible nearby (a table head, a heading): only screen readers get it. */
  labelHidden?: boolean;
  maxLength?: number;
  /** How the text looks while it is read; without it, as typed. */
  render?: (text: string) => ReactNode;
  /** Beside the keys, how to type. */
  hint?: ReactNode;
  /** Inside a GridCell: the cell starts and ends editing, so no button is shown. */
  editing?: boolean;
  onEditingChange?: (editing: boolean, byKeyboard: boolean) => void;
}

/**
 * Text edited in place. Saves on leaving, on Ctrl+Enter and after a pause; Esc takes the typing
 * back. Until the server acknowledges it, every keystroke is kept in the session's storage, so that
 * a lost connection, an expired sign-in or a reload loses nothing.
 */
export function EditableText(props: EditableTextProps) {
  const { label, value, etag, draftKey, onSave, toConflict, emptyLabel = "未入力", readOnlyReason, labelHidden, maxLength } = props;
  const id = useId();
  const [ownEditing, setOwnEditing] = useState(false);
  const inGrid = props.editing !== undefined;
  const editing = props.editing ?? ownEditing;
  const { composing, handlers } = useComposing();

  // The newest truth of the server: what the page passed, or what our own save returned since.
  const [server, setServer] = useState({ text: value, etag });
  const [passed, setPassed] = useState({ value, etag });
  if (passed.value !== value || passed.etag !== etag) {
    setPassed({ value, etag });
    setServer({ text: value, etag });
  }

  const [draft, setDraftState] = useState<Draft | null>(() => {
    // Where nothing can be written, a draft of another view of the same record has no place.
    const stored = readOnlyReason === undefined ? readDraft(draftKey) : null;
    return stored && stored.text !== value ? stored : null;
  });
  const [state, setState] = useState<State>(() =>
    draft ? { name: "failed", message: "前回の入力がまだ保存されていません。" } : { name: "idle" },
  );

  // Saving runs longer than a render: it reads the draft of the moment, not of its start.
  const latest = useRef(draft);
  const running = useRef(false);
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const alive = useRef(true);

  const setDraft = useCallback(
    (next: Draft | null) => {
      latest.current = next;
      writeDraft(draftKey, next);
      if (alive.current) setDraftState(next);
    },
    [draftKey],
  );

  const finish = (text: string, newEtag: string) => {
    const now = latest.current;
    setServer({ text, etag: newEtag });
    if (now && now.text !== text) {
      // Typed on while the save was under way: what remains is based on what was just saved.
      setDraft({ ...now, base: text, etag: newEtag });
      setState({ name: "dirty" });
    } else {
      setDraft(null);
      setState({ name: "saved" });
      announce(`${label}を保存しました`);
    }
  };

  const save = async () => {
    clearTimeout(timer.current);
    if (running.current) return;
    const first = latest.current;
    if (!first) return;
    if (first.text === first.base) {
      setDraft(null);
      setState({ name: "idle" });
      return;
    }
    running.current = true;
    setState({ name: "saving" });
    let sending = first;
    try {
      for (let attempt = 0; ; attempt += 1) {
        try {
          const { etag: newEtag } = await onSave(sending.text, sending.etag);
          finish(sending.text, newEtag);
          break;
        } catch (error) {
          const conflict = toConflict(error);
          if (!conflict) throw error;
          if (conflict.theirs === sending.text) {
            finish(sending.text, conflict.etag);
            break;
          }
          if (conflict.theirs !== sending.base || attempt >= MAX_REBASES) {
            setState({ name: "conflict", conflict });
            announce(`${label}をほかの人が更新しました。残す内容を選んでください`);
            break;
          }
          sending = { ...sending, etag: conflict.etag };
          setDraft({ ...(latest.current ?? sending), etag: conflict.etag });
        }
      }
    } catch (error) {
      const message = error instanceof Error ? error.message : "";
      setState({ name: "failed", message });
      announce(`${label}を保存できませんでした`);
    } finally {
      running.current = false;
    }
    // Left the field while the save was under way: the rest goes now.
    if (latest.current && latest.current.base === sending.text && !alive.current) await save();
  };

  const type = (text: string) => {
    setDraft({ text, base: latest.current?.base ?? server.text, etag: latest.current?.etag ?? server.etag });
    setState({ name: "dirty" });
  };

  const saveNow = useEffectEvent(() => void save());
  const saveOnLeaving = useEffectEvent(() => {
    if (state.name === "dirty") void save();
  });
  const dirtyText = state.name === "dirty" ? draft?.text : undefined;
  useEffect(() => {
    if (dirtyText === undefined || composing) return;
    timer.current = setTimeout(() => saveNow(), IDLE_MS);
    return () => clearTimeout(timer.current);
  }, [dirtyText, composing]);

  // Leaving the page inside the application saves; closing the window asks first.
  useEffect(() => {
    alive.current = true;
    return () => {
      alive.current = false;
      saveOnLeaving();
    };
  }, []);
  const unsaved = draft !== null;
  useEffect(() => {
    if (!unsaved) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [unsaved]);

  const setEditing = (next: boolean, byKeyboard: boolean) => {
    setOwnEditing(next);
    props.onEditingChange?.(next, byKeyboard);
  };

  const undo = () => {
    clearTimeout(timer.current);
    const thrown = latest.current;
    setDraft(null);
    setState(thrown && thrown.text !== thrown.base ? { name: "undone", draft: thrown } : { name: "idle" });
    if (thrown) announce(`${label}の入力を取り消しました`);
    setEditing(false, true);
  };

  const resolve = (conflict: TextConflict, text: string) => {
    if (text === conflict.theirs) {
      setServer({ text, etag: conflict.etag });
      setDraft(null);
      setState({ name: "saved" });
    } else {
      setDraft({ text, base: conflict.theirs, etag: conflict.etag });
      void save();
    }
  };

  const shown = draft?.text ?? server.text;
  return (
    <div>
      {!labelHidden && (
        <div className="flex flex-wrap items-center gap-x-3">
          <span className="font-bold" id={`${id}-label`}>
            {label}
          </span>
          {readOnlyReason && <span className="rounded-4 border border-solid-gray-600 px-1 text-sm">編集不可：{readOnlyReason}</span>}
        </div>
      )}
      {editing && readOnlyReason === undefined ? (
        <div {...handlers}>
          <textarea
            // eslint-disable-next-line jsx-a11y/no-autofocus -- the reader asked to edit this text just now
            autoFocus
            aria-label={label}
            aria-describedby={`${id}-hint`}
            aria-invalid={state.name === "failed" || undefined}
            className="control field-sizing-content py-2"
            rows={2}
            value={shown}
            maxLength={maxLength}
            onChange={(event) => type(event.target.value)}
            // Typing goes on where the text ends, as in a spreadsheet's cell.
            onFocus={(event) => event.target.setSelectionRange(shown.length, shown.length)}
            onBlur={() => {
              setEditing(false, false);
              void save();
            }}
            onKeyDown={(event) => {
              // While the IME converts, Enter and Esc belong to the IME.
              if (event.nativeEvent.isComposing) return;
              if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
                event.preventDefault();
                setEditing(false, true);
                void save();
              } else if (event.key === "Escape") {
                event.preventDefault();
                event.stopPropagation();
                undo();
              }
            }}
          />
          <p id={`${id}-hint`} className="dense mt-1 text-solid-gray-700">
            Ctrl＋Enterで保存、Escで取り消し
            {props.hint}
            <PrivacyHint />
          </p>
        </div>
      ) : (
        <div className="flex items-start justify-between gap-3">
          <div className="min-w-0 grow">
            {(shown && props.render?.(shown)) || (
              <p className="whitespace-pre-wrap">{shown || <span className="text-solid-gray-700">{emptyLabel}</span>}</p>
            )}
          </div>
          {!inGrid && readOnlyReason === undefined && (
            <Button variant="secondary" size="sm" className="no-print shrink-0" aria-label={`${label}を編集`} onClick={() => setEditing(true, true)}>
              編集
            </Button>
          )}
        </div>
      )}
      <div className="no-print flex flex-wrap items-center gap-x-2">
        <SaveState
          state={state}
          onSave={() => void save()}
          onDiscard={undo}
          onRestore={(thrown) => {
            setDraft(thrown);
            setState({ name: "dirty" });
          }}
        />
      </div>
      {state.name === "conflict" && (
        <ConflictDialog
          key={state.conflict.etag}
          open
          label={label}
          mine={shown}
          conflict={state.conflict}
          onResolve={(text) => resolve(state.conflict, text)}
          onClose={() => setState({ name: "failed", message: "ほかの人の更新と重なっています。" })}
        />
      )}
    </div>
  );
}

interface SaveStateProps {
  state: State;
  onSave: () => void;
  onDiscard: () => void;
  onRestore: (draft: Draft) => void;
}

function SaveState({ state, onSave, onDiscard, onRestore }: SaveStateProps) {
  switch (state.name) {
    case "idle":
      return null;
    case "dirty":
      return <span className="dense text-solid-gray-700">✎ 未保存</span>;
    case "saving":
      return <span className="dense text-solid-gray-700">… 保存中</span>;
    case "saved":
      return <span className="dense text-success-2">✓ 保存しました</span>;
    case "undone":
      return (
        <>
          <span className="dense">入力を取り消しました</span>
          <Button variant="text" size="sm" onClick={() => onRestore(state.draft)}>
            入力を元に戻す
          </Button>
        </>
      );
    case "conflict":
      return <span className="dense text-error-2">✕ ほかの人の更新と重なっています</span>;
    case "failed":
      return (
        <>
          <span className="dense text-error-2">✕ 保存できませんでした。{state.message}入力した内容は残っています。</span>
          <Button variant="secondary" size="sm" onClick={onSave}>
            もう一度保存
          </Button>
          <Button variant="text" size="sm" onClick={onDiscard}>
            入力を破棄
          </Button>
        </>
      );
  }
}
