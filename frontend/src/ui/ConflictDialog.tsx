import { useState } from "react";
import { formatInstant } from "../lib/date";
import { Button } from "./Button";
import { Dialog } from "./Dialog";
import { PrivacyHint, TextArea } from "./fields";

/** The other side of a refused write. */
export interface TextConflict {
  theirs: string;
  /** ETag of the record as it is stored now. */
  etag: string;
  changedBy?: string;
  /** RFC 3339 */
  changedAt?: string;
}

export interface ConflictDialogProps {
  open: boolean;
  /** Name of the field. */
  label: string;
  mine: string;
  conflict: TextConflict;
  busy?: boolean;
  /** The text to keep: mine, theirs or the merged one. */
  onResolve: (text: string) => void;
  /** Decides later: the draft stays. */
  onClose: () => void;
}

/** All lines of the other text, then the lines only I have: nothing is lost before somebody decides. */
export function mergeProposal(mine: string, theirs: string): string {
  const known = new Set(theirs.split("\n"));
  const added = mine.split("\n").filter((line) => !known.has(line));
  return [theirs, ...added].filter((part) => part !== "").join("\n");
}

export function ConflictDialog({ open, label, mine, conflict, busy, onResolve, onClose }: ConflictDialogProps) {
  const [merged, setMerged] = useState(() => mergeProposal(mine, conflict.theirs));
  const who = conflict.changedBy ?? "ほかの人";
  const when = conflict.changedAt ? formatInstant(conflict.changedAt) : "";
  return (
    <Dialog open={open} wide title={`「${label}」をほかの人が更新しました`} onClose={onClose}>
      <p className="mb-4">
        編集している間に、{who}さんが{when && `${when}に`}この項目を更新しました。残す内容を選んでください。選ぶまで、入力した内容は失われません。
      </p>
      <div className="grid gap-4 md:grid-cols-2">
        <Side heading="自分の内容" note="まだ保存されていません" text={mine}>
          <Button variant="secondary" busy={busy} onClick={() => onResolve(mine)}>
            自分の内容にする
          </Button>
        </Side>
        <Side heading="相手の内容" note={`${who}さん　${when}`} text={conflict.theirs}>
          <Button variant="secondary" busy={busy} onClick={() => onResolve(conflict.theirs)}>
            相手の内容にする
          </Button>
        </Side>
      </div>
      <div className="mt-6">
        <TextArea label="統合した内容" hint={<PrivacyHint />} value={merged} onChange={setMerged} rows={5} />
        <div className="mt-3 flex justify-end">
          <Button busy={busy} onClick={() => onResolve(merged)}>
            統合して保存
          </Button>
        </div>
      </div>
    </Dialog>
  );
}

function Side({ heading, note, text, children }: { heading: string; note: string; text: string; children: React.ReactNode }) {
  return (
    <section className="flex flex-col rounded-8 border border-solid-gray-420 p-4">
      <h3>{heading}</h3>
      <p className="text-sm text-solid-gray-700">{note}</p>
      <p className="my-3 grow whitespace-pre-wrap">{text || "（空欄）"}</p>
      <div>{children}</div>
    </section>
  );
}
