import { useNavigate } from "@tanstack/react-router";
import { useState, type FormEvent } from "react";
import { formatDate, formatInstant, parseDate, todayInJapan } from "../lib/date";
import { isMoment } from "../lib/past";
import { Button } from "./Button";
import { DateField } from "./DateField";
import { Dialog } from "./Dialog";
import { useSearchParam } from "./search";

const momentWords = (moment: string) => (moment.length === 10 ? formatDate(moment, { weekday: false }) : formatInstant(moment));

/** `as_of` of the address, and the way to another moment or back to now. */
function usePast() {
  const [raw] = useSearchParam("as_of");
  const navigate = useNavigate();
  // Another moment is another view: the back button returns from it.
  const go = (moment: string | undefined) =>
    void navigate({ to: ".", search: (previous: Record<string, unknown>) => ({ ...previous, as_of: moment }), resetScroll: false });
  return { past: raw !== undefined && isMoment(raw) ? raw : undefined, go };
}

/** In the head of a record's page: shows the record as it stood at the end of a past day. */
export function PastButton() {
  const { past, go } = usePast();
  const [open, setOpen] = useState(false);
  const [typed, setTyped] = useState("");
  const [error, setError] = useState<string>();
  const submit = (event: FormEvent) => {
    event.preventDefault();
    const date = parseDate(typed)?.date;
    if (!date) return setError("日付を 令和6年4月1日 または 2024/4/1 のように入力してください。");
    if (date > todayInJapan()) return setError("今日までの日付を入力してください。");
    setOpen(false);
    go(date);
  };
  return (
    <>
      <Button
        variant="text"
        size="sm"
        className="px-2! font-normal!"
        onClick={() => {
          setTyped(past?.length === 10 ? formatDate(past, { weekday: false }) : "");
          setError(undefined);
          setOpen(true);
        }}
      >
        過去の時点
      </Button>
      <Dialog open={open} title="過去の時点の記録を見る" onClose={() => setOpen(false)}>
        <form noValidate className="grid gap-5" onSubmit={submit}>
          <p>その日の終わりに、この記録に何が書かれていたかを表示します。表示している間は編集できません。</p>
          <DateField label="日付" required value={typed} onChange={setTyped} error={error} />
          <div className="flex justify-end gap-3">
            <Button variant="secondary" onClick={() => setOpen(false)}>
              キャンセル
            </Button>
            <Button type="submit">表示する</Button>
          </div>
        </form>
      </Dialog>
    </>
  );
}

/** Above everything, as long as the screen shows the past. */
export function PastBanner() {
  const { past, go } = usePast();
  if (!past) return null;
  return (
    <div role="status" className="mb-3 flex flex-wrap items-center justify-between gap-x-6 rounded-8 border-2 border-s-8 border-warning-orange-2 py-1 ps-4 pe-2 font-bold">
      <p>
        <span aria-hidden="true" className="text-warning-orange-2">
          ▲{" "}
        </span>
        {momentWords(past)}時点の記録を表示しています（編集できません）
      </p>
      <Button variant="text" size="sm" className="no-print" onClick={() => go(undefined)}>
        今の記録に戻る
      </Button>
    </div>
  );
}
