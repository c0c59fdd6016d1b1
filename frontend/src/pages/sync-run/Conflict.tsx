import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { client, newerRecord, useWrite } from "../../api";
import { announce, Button, Dialog, Notice, Table } from "../../ui";
import { fieldWord, valueText } from "../history/words";
import type { Row } from "../sync/words";

type Fields = Record<string, unknown>;

const same = (one: unknown, other: unknown) => JSON.stringify(one ?? null) === JSON.stringify(other ?? null);
const fieldsOf = (value: unknown) => (value && typeof value === "object" ? (value as Fields) : {});

/** What was sent last, what is sent now and what is there, side by side; a person takes one of the two. */
export function Conflict({ row, onClose }: { row: Row; onClose: () => void }) {
  const queries = useQueryClient();
  const { busy, error, run } = useWrite();
  const [current, setCurrent] = useState(fieldsOf(fieldsOf(row.problem).current));
  const [moved, setMoved] = useState(false);
  const sent = fieldsOf(fieldsOf(row.item).record);
  const base = fieldsOf(row.base);
  const entity = row.entity ?? "";
  const isConflict = row.outcome === "conflict";
  const differing = Object.keys(sent).filter((field) => !same(sent[field], current[field]));
  const text = (field: string, value: unknown) => valueText(entity, field, value, new Map());
  const settle = async (take: "theirs" | "mine") => {
    setMoved(false);
    const body = take === "mine" ? { take, version: current.version as number } : { take };
    const done = await run(body, async (header) => {
      try {
        return await client.POST("/api/v1/sync-rows/{sync_row_id}/settlement", { params: { path: { sync_row_id: row.id }, header }, body });
      } catch (failure) {
        const newer = newerRecord<Fields>(failure);
        if (!newer) throw failure;
        setCurrent(newer.record);
        setMoved(true);
        return undefined;
      }
    });
    if (!done) return;
    await queries.invalidateQueries();
    announce("処理済みにしました");
    onClose();
  };
  return (
    <Dialog
      open
      wide={isConflict}
      title={isConflict ? "どちらの内容を残すか決める" : "この行を処理済みにしますか"}
      onClose={onClose}
      actions={
        <>
          <Button variant={isConflict ? "secondary" : "primary"} busy={busy} onClick={() => void settle("theirs")}>
            {isConflict ? "今の内容を残す" : "処理済みにする"}
          </Button>
          {isConflict && (
            <Button busy={busy} onClick={() => void settle("mine")}>
              送られた内容にする
            </Button>
          )}
        </>
      }
    >
      <div className="grid gap-4">
        {moved && (
          <Notice tone="warning" live title="この間に、また変更されました">
            下の「今の内容」は新しい内容です。もう一度見比べて決めてください。
          </Notice>
        )}
        {error && (
          <Notice tone="error" live title="処理できませんでした">
            {error.message}
          </Notice>
        )}
        {isConflict ? (
          <Table
            caption={`違いのある項目（${differing.length}件）`}
            rows={differing}
            rowKey={(field) => field}
            columns={[
              { key: "field", header: "項目", rowHeader: true, width: "10rem", cell: (field) => fieldWord(entity, field) },
              { key: "base", header: "前回送られた内容", cell: (field) => text(field, base[field]) },
              { key: "sent", header: "送られた内容", cell: (field) => text(field, sent[field]) },
              { key: "current", header: "今の内容", cell: (field) => text(field, current[field]) },
            ]}
          />
        ) : (
          <p>直した行を取り込んだあとや、書き込まなくてよいと判断したときに、処理済みにします。記録は変わりません。</p>
        )}
      </div>
    </Dialog>
  );
}
