import { useMemo, useState } from "react";
import { EMPTY_WORDS, proseToText, textToProse, type Prose } from "../lib/prose";
import { EditableText } from "./EditableText";
import { Select } from "./fields";
import type { TextConflict } from "./ConflictDialog";

/** Lines with mark, depth and label, wrapped under their own beginning. */
export function ProseView({ prose }: { prose: Prose }) {
  if (!prose.items?.length) {
    return <p className="text-solid-gray-700">（{EMPTY_WORDS[prose.state === "entered" ? "not_entered" : prose.state]}）</p>;
  }
  return (
    <ul className="grid gap-1">
      {prose.items.map(({ depth = 0, marker, label, text }, index) => (
        // Lines have no identity of their own; they are shown, not kept.
        <li key={index} className="flex gap-2" style={{ paddingInlineStart: `${depth * 1.5}rem` }}>
          {marker && <span className="shrink-0">{marker}</span>}
          <span className="min-w-0 whitespace-pre-wrap">
            {label && <strong className="me-2">{label}</strong>}
            {text}
          </span>
        </li>
      ))}
    </ul>
  );
}

const EMPTY_OPTIONS = Object.entries(EMPTY_WORDS).map(([value, label]) => ({ value, label }));

export interface EditableProseProps {
  /** Heading of the slot; it stands above, even when the slot is empty. */
  label: string;
  value: Prose;
  etag: string;
  /** Unique per record and field. */
  draftKey: string;
  onSave: (prose: Prose, etag: string) => Promise<{ etag: string }>;
  /** Reads the other side out of a refused write, else null. */
  toConflict: (error: unknown) => (Omit<TextConflict, "theirs"> & { theirs: Prose }) | null;
  readOnlyReason?: string;
}

/** A slot of a document edited as text in place; marks, depth and labels of untouched lines stay exactly as they were. */
export function EditableProse({ label, value, etag, draftKey, onSave, toConflict, readOnlyReason }: EditableProseProps) {
  // Every version seen here: a line of any of them is taken back unchanged.
  const [other, setOther] = useState<Prose>();
  const known = useMemo(() => (other ? [value, other] : [value]), [value, other]);
  const [failure, setFailure] = useState<string>();
  if (readOnlyReason !== undefined) return <ProseView prose={value} />;
  const empty = !value.items?.length;
  return (
    <>
      <EditableText
        label={label}
        labelHidden
        value={proseToText(value)}
        etag={etag}
        draftKey={draftKey}
        emptyLabel={`（${EMPTY_WORDS[value.state === "entered" ? "not_entered" : value.state]}）`}
        hint={<span className="block">1行が1項目です。行頭の記号（●・①など）と全角スペースの字下げはそのまま残ります。見出しは「見出し｜本文」と書きます。</span>}
        render={(text) => <ProseView prose={textToProse(text, known)} />}
        onSave={(text, current) => onSave(textToProse(text, known), current)}
        toConflict={(error) => {
          const conflict = toConflict(error);
          if (!conflict) return null;
          setOther(conflict.theirs);
          return { ...conflict, theirs: proseToText(conflict.theirs) };
        }}
      />
      {empty && (
        <Select
          className="no-print mt-2 flex flex-wrap items-center gap-x-2"
          size="sm"
          label={<span className="text-sm font-normal">空欄の意味<span className="sr-only">（{label}）</span></span>}
          value={value.state === "entered" ? "not_entered" : value.state}
          options={EMPTY_OPTIONS}
          error={failure}
          onChange={(state) => {
            setFailure(undefined);
            onSave({ state: state as Prose["state"], items: [] }, etag).catch((error: unknown) =>
              setFailure(error instanceof Error ? error.message : "保存できませんでした。"),
            );
          }}
        />
      )}
    </>
  );
}
