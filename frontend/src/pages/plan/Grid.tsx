import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef, useState } from "react";
import { $api, client, etagOf, may, useIdentity, useWrite, writeHeaders, type Identity } from "../../api";
import { currentFiscalYear } from "../../lib/date";
import { pastMoment } from "../../lib/past";
import { announce, Button, Checkbox, ConfirmDialog, DataGrid, GridCell, HistoryLink, Notice, useFiscalYear, useSearchParam, type PastedCell } from "../../ui";
import { SheetCell, type Actions, type Rights } from "./Cell";
import { YearHead } from "./YearHead";
import { usePaste, type Target } from "./Paste";
import { CarryOver, ItemDetails } from "./ItemDialogs";
import { byCell, cellKey, columnsOf, rowsOfYear, splitMarker, yearHead, type Actor, type CellRecord, type Goal, type Item, type Plan, type Sheet } from "./sheet";

export const sheetQuery = (planId: string, goalId: string) => ({ params: { path: { plan_id: planId }, query: { goal_id: goalId } } });

/** Whose column it is decides; the reason is shown to everybody else. */
function rightsOf(identity: Identity | null, plan: Plan, actor: Actor | null): Rights {
  if (pastMoment() !== undefined) return { own: false, readOnlyReason: "過去の時点の記録です" };
  const record = { owner_org_id: plan.owner_org_id, slotOf: actor?.organization_id };
  const mine = identity?.organization_id ?? undefined;
  const own = Boolean(actor?.organization_id) && actor?.organization_id === mine;
  const owner = plan.owner_org_id === mine;
  const related = owner || own;
  if (!related) return { own, readOnlyReason: actor ? "自分の列ではありません" : "計画を所有する組織が入力します" };
  if (owner && !own && actor?.organization_id && !actor.entered_by_owner) return { own, readOnlyReason: "この欄は、その組織だけが入力します" };
  const allowed = may(identity, "roadmap_items", "create", record) && may(identity, "roadmap_items", "update", record);
  return { own, readOnlyReason: allowed ? undefined : "入力する権限がありません" };
}

interface GridProps {
  sheet: Sheet;
  goal: Goal;
}

type Open = { what: "details" | "carry" | "delete"; item: Item; from: Element | null };

/** The sheet itself: a row for each year, a column for each actor, edited in place. */
export function Grid({ sheet, goal }: GridProps) {
  const { plan } = sheet;
  const identity = useIdentity();
  const queries = useQueryClient();
  const chosenYear = useFiscalYear();
  const [groupPlans, setGroupPlans] = useSearchParam("planned");
  const [open, setOpen] = useState<Open>();
  const [deleted, setDeleted] = useState<Item>();
  const area = useRef<HTMLDivElement>(null);

  const columns = useMemo(() => columnsOf(sheet, groupPlans === "1"), [sheet, groupPlans]);
  const grouped = columns.some(({ blocks }) => blocks.some((block) => block.grouped));
  const rows = useMemo(() => rowsOfYear(columns), [columns]);
  // Blocks with the same key mean the same: an old object keeps its cell as it is.
  const blocks = useStable(columns);
  const items = useMemo(() => byCell(sheet.items), [sheet.items]);
  const cells = useMemo(() => byCell(sheet.cells.filter(({ goal_id }) => goal_id === goal.id)), [sheet.cells, goal.id]);
  const numbers = useMemo(() => new Map(sheet.goals.filter(({ id }) => id !== goal.id).map(({ id, number, title }) => [id, number ?? title])), [sheet.goals, goal.id]);
  const rights = useMemo(() => new Map([null, ...sheet.actors].map((actor) => [actor?.id ?? "", rightsOf(identity, plan, actor)])), [identity, plan, sheet.actors]);
  const owner = $api.useQuery("get", "/api/v1/organizations/{organization_id}", { params: { path: { organization_id: plan.owner_org_id } } }).data?.name;
  const names = useMemo(() => {
    const known = new Map(sheet.actors.flatMap(({ organization_id: id, label }) => (id ? [[id, label] as const] : [])));
    return owner ? known.set(plan.owner_org_id, owner) : known;
  }, [sheet.actors, owner, plan.owner_org_id]);

  const actions = useMemo((): Actions => {
    const { queryKey } = $api.queryOptions("get", "/api/v1/plans/{plan_id}/sheet", sheetQuery(plan.id, goal.id));
    const put = (change: (now: Sheet) => Sheet) => queries.setQueryData(queryKey, (now: Sheet | undefined) => now && change(now));
    const putItem = (item: Item) => put((now) => ({ ...now, items: [...now.items.filter(({ id }) => id !== item.id), item].sort((a, b) => a.fiscal_year - b.fiscal_year || a.position - b.position || (a.id < b.id ? -1 : 1)) }));
    const setCell: Actions["setCell"] = async ({ year, block, cell: known }, change) => {
      // The newest version is that of the sheet: the one a cell was drawn with may be older.
      const cell = known && (queries.getQueryData<Sheet>(queryKey)?.cells.find(({ id }) => id === known.id) ?? known);
      const { data } = cell
        ? await client.PATCH("/api/v1/roadmap-cells/{roadmap_cell_id}", { params: { path: { roadmap_cell_id: cell.id }, header: writeHeaders(etagOf(cell.version)) }, body: { heading_shown: cell.heading_shown, ...change } })
        : await client.POST("/api/v1/roadmap-cells", {
            params: { header: writeHeaders() },
            body: { goal_id: goal.id, fiscal_year: year, actor_id: block.actor?.id ?? null, kind: block.kind, heading_shown: !block.grouped, ...change },
          });
      if (data) put((now) => ({ ...now, cells: [...now.cells.filter(({ id }) => id !== data.id), data] }));
    };
    return {
      setCell,
      create: async (place, typed, key) => {
        // A cell that says なし is not empty any more once something is written into it.
        if (place.cell && place.cell.state !== "not_entered") await setCell(place, { state: "not_entered" });
        const body = {
          // A cell may show lines of the goals below; a new one joins those before it.
          goal_id: place.last?.goal_id ?? goal.id,
          fiscal_year: place.year,
          actor_id: place.block.actor?.id ?? null,
          kind: place.block.kind,
          position: (place.last?.position ?? -1) + 1,
          ...splitMarker(typed, place.last ? place.last.marker : "◎"),
        };
        const { data } = await client.POST("/api/v1/roadmap-items", { params: { header: { "Idempotency-Key": key } }, body });
        if (!data) throw new Error("保存できませんでした。");
        putItem(data);
        return data;
      },
      change: async ({ id }, body, etag) => {
        const { data } = await client.PATCH("/api/v1/roadmap-items/{roadmap_item_id}", { params: { path: { roadmap_item_id: id }, header: writeHeaders(etag) }, body });
        if (!data) throw new Error("保存できませんでした。");
        putItem(data);
        return data;
      },
      open: (what, item) => setOpen({ what, item, from: document.activeElement?.closest("[data-grid-cell]") ?? null }),
    };
  }, [queries, plan.id, goal.id]);

  const { paste, notice } = usePaste(actions);
  /** The cell that begins at a row and a column of the grid. */
  const slotAt = (row: number, col: number) => {
    const year = sheet.fiscal_years[Math.floor(row / rows.length)];
    const slot = rows[row % rows.length]?.find(({ column }) => column + 1 === col);
    if (year === undefined || !slot) return undefined;
    const key = cellKey(year, slot.block.actor?.id ?? null, slot.block.kind);
    return { year, block: slot.block, items: items.get(key) ?? NONE, cell: cells.get(key)?.[0] as CellRecord | undefined };
  };
  const textOf = (row: number, col: number) => {
    if (col === 0) return yearHead(sheet.fiscal_years[Math.floor(row / rows.length)] ?? 0);
    return (slotAt(row, col)?.items ?? []).map(({ marker, text }) => `${marker ?? ""}${text}`).join("\n");
  };
  const onPaste = (pasted: readonly PastedCell[], beside: readonly string[]) => {
    const targets: Target[] = [];
    const outside = [...beside];
    for (const { row, col, text } of pasted) {
      const slot = slotAt(row, col);
      if (!slot) {
        outside.push(text);
        continue;
      }
      const { year, block, items: own, cell } = slot;
      targets.push({ place: { year, block, cell, last: own.at(-1) }, items: own, readOnlyReason: (rights.get(block.actor?.id ?? "") ?? CLOSED).readOnlyReason, text });
    }
    void paste(targets, outside);
  };

  // The chosen year comes into sight inside the sheet's own area; the page itself does not move.
  useEffect(() => {
    const head = area.current?.querySelector<HTMLElement>(`[data-year="${chosenYear}"]`)?.closest("th");
    const scroller = head?.closest<HTMLElement>(".scroll-area");
    const table = scroller?.querySelector("table");
    if (!head || !scroller || !table) return;
    const above = table.tHead?.offsetHeight ?? 0;
    scroller.scrollTop = head.getBoundingClientRect().top - table.getBoundingClientRect().top - above;
  }, [chosenYear, goal.id]);

  const close = () => {
    const from = open?.from;
    setOpen(undefined);
    // The button that opened the dialog may be gone with its line; its cell is still there.
    setTimeout(() => (from instanceof HTMLElement && !from.contains(document.activeElement) ? from.focus() : undefined), 0);
  };

  return (
    <div ref={area}>
      <div className="no-print mb-2 flex flex-wrap items-center justify-between gap-x-6">
        <p className="text-sm text-solid-gray-700">ダブルクリックかEnterキーで編集し、1行ずつ自動で保存します。Shift＋矢印キーで範囲を選ぶと、表計算ソフトとコピー・貼り付けができます。</p>
        {grouped && <Checkbox label={<span className="text-sm">協議会・団体の予定の欄も表示する</span>} checked={groupPlans === "1"} onChange={(on) => setGroupPlans(on ? "1" : undefined)} />}
      </div>
      {notice}
      {deleted && <Deleted key={deleted.id} item={deleted} onDone={() => setDeleted(undefined)} />}
      <DataGrid textOf={textOf} onPaste={onPaste} caption={`${goal.title}の年次ごとの取り組みと実績`} captionHidden maxHeight="max(75vh, 22rem)" className="roadmap table-fixed min-w-[81rem] print:min-w-0">
        <colgroup>
          <col style={{ width: "7.5%" }} />
          {columns.map(({ key }) => (
            <col key={key} style={{ width: key === "milestone" ? "15%" : key === "note" ? "9.5%" : `${68 / Math.max(1, columns.length - 2)}%` }} />
          ))}
        </colgroup>
        <thead>
          <tr>
            <th scope="col">年次</th>
            {columns.map(({ key, title, actor, blocks: own }) => {
              const several = own.some((block) => block.grouped);
              const reasons = new Set(own.map((block) => rights.get(block.actor?.id ?? "")?.readOnlyReason));
              const [reason] = reasons;
              return (
                <th key={key} scope="col">
                  {title}
                  {reasons.size === 1 && reason && !pastMoment() && <span className="no-print block text-xs font-normal">編集不可：{reason}</span>}
                  {several && reasons.size > 1 && <span className="no-print block text-xs font-normal">編集できるのは「自分の欄」だけです</span>}
                  {actor && rights.get(actor.id)?.own && <span className="no-print block text-xs font-normal text-key-900">自分の列</span>}
                </th>
              );
            })}
          </tr>
        </thead>
        {sheet.fiscal_years.map((year, index) => {
          const mark = year === currentFiscalYear() ? "今年度" : year === chosenYear ? "表示中の年度" : undefined;
          return (
            <tbody key={year} className={mark ? "sheet-current" : undefined}>
              {rows.map((slots, at) => (
                <tr key={at}>
                  {at === 0 && (
                    <GridCell row={index * rows.length} col={0} rowSpan={rows.length} rowHeader>
                      <span data-year={year}>
                        <YearHead year={year} />
                      </span>
                      {mark && <span className="no-print mt-1 block rounded-4 border-2 border-key-900 bg-white px-1 text-center text-xs text-key-900">▶ {mark}</span>}
                    </GridCell>
                  )}
                  {slots.map(({ column, span, block }) => {
                    const key = cellKey(year, block.actor?.id ?? null, block.kind);
                    return (
                      <SheetCell
                        key={`${goal.id}/${key}`}
                        row={index * rows.length + at}
                        col={column + 1}
                        span={span}
                        year={year}
                        goalId={goal.id}
                        block={blocks(block.key) ?? block}
                        items={items.get(key) ?? NONE}
                        cell={cells.get(key)?.[0] as CellRecord | undefined}
                        rights={rights.get(block.actor?.id ?? "") ?? CLOSED}
                        numbers={numbers}
                        names={names}
                        lastYear={plan.last_fiscal_year}
                        actions={actions}
                      />
                    );
                  })}
                </tr>
              ))}
            </tbody>
          );
        })}
      </DataGrid>
      {open?.what === "details" && <ItemDetails item={open.item} onClose={close} />}
      {open?.what === "carry" && <CarryOver item={open.item} lastYear={plan.last_fiscal_year} onClose={close} />}
      {open?.what === "delete" && <Delete item={open.item} onClose={close} onDeleted={setDeleted} />}
    </div>
  );
}

const NONE: readonly Item[] = [];
const CLOSED: Rights = { own: false, readOnlyReason: "自分の列ではありません" };

/** Blocks by key, the same objects as long as they mean the same. */
function useStable(columns: ReturnType<typeof columnsOf>) {
  const content = JSON.stringify(columns);
  const stable = useMemo(() => new Map((JSON.parse(content) as typeof columns).flatMap(({ blocks }) => blocks.map((block) => [block.key, block]))), [content]);
  return (key: string) => stable.get(key);
}

function Delete({ item, onClose, onDeleted }: { item: Item; onClose: () => void; onDeleted: (item: Item) => void }) {
  const queries = useQueryClient();
  const { busy, error, run } = useWrite();
  const remove = async () => {
    const done = await run(item.version, (key) =>
      client.DELETE("/api/v1/roadmap-items/{roadmap_item_id}", { params: { path: { roadmap_item_id: item.id }, header: { ...key, "If-Match": etagOf(item.version) } } }).then(() => true),
    );
    await queries.invalidateQueries();
    if (!done) return;
    announce("行を削除しました。元に戻せます");
    onDeleted(item);
    onClose();
  };
  return (
    <ConfirmDialog open title="この行を削除しますか" confirmLabel="削除する" variant="danger" busy={busy} onConfirm={() => void remove()} onClose={onClose}>
      <p className="whitespace-pre-wrap">
        {item.marker}
        {item.text}
      </p>
      <p className="mt-2 text-solid-gray-700">削除した直後は、シートの上に出る「元に戻す」で書き直せます。</p>
      {error && (
        <Notice tone="error" live title="削除できませんでした">
          {error.message}
        </Notice>
      )}
    </ConfirmDialog>
  );
}

/** The way back: the same line, written again. */
function Deleted({ item, onDone }: { item: Item; onDone: () => void }) {
  const queries = useQueryClient();
  const { busy, error, run } = useWrite();
  const restore = async () => {
    const { goal_id, fiscal_year, actor_id, kind, text, marker, progress, responsible, due_on, continues, position } = item;
    const body = { goal_id, fiscal_year, actor_id, kind, text, marker, progress, responsible, due_on, continues, position };
    const done = await run(body, (header) => client.POST("/api/v1/roadmap-items", { params: { header }, body }).then(() => true));
    await queries.invalidateQueries();
    if (!done) return;
    announce("削除した行を元に戻しました");
    onDone();
  };
  return (
    <div className="no-print mb-2">
      <Notice
        live
        title="行を削除しました"
        actions={
          <>
            <Button variant="secondary" size="sm" busy={busy} onClick={() => void restore()}>
              元に戻す
            </Button>
            <Button variant="text" size="sm" onClick={onDone}>
              閉じる
            </Button>
            <HistoryLink entity="roadmap_items" id={item.id} />
          </>
        }
      >
        <p className="whitespace-pre-wrap">{item.text}</p>
        {item.carried_over_from_id && <p className="text-sm">元に戻しても、前の年度からの繰越のつながりは戻りません。</p>}
        {error && <p className="text-error-1">＊{error.message}</p>}
      </Notice>
    </div>
  );
}
