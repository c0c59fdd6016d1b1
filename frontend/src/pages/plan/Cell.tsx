import { memo, useRef, useState, type FocusEvent } from "react";
import { etagOf, textConflict } from "../../api";
import { formatDateShort, fiscalYearShort, todayInJapan } from "../../lib/date";
import { readDraft } from "../../lib/drafts";
import { Button, Checkbox, EditableText, GridCell, Select } from "../../ui";
import { optionsOf } from "../kpi/words";
import { cellKey, KIND_WORDS, PROGRESS_WORDS, STATE_WORDS, yearHead, type Block, type CellRecord, type CellState, type Item } from "./sheet";

/** Where a new line goes. */
export interface Place {
  year: number;
  block: Block;
  cell: CellRecord | undefined;
  /** The last line of the cell now. */
  last: Item | undefined;
}

/** What can be done with a sheet; one object for its whole life, so that cells need not be drawn again. */
export interface Actions {
  create: (place: Place, typed: string, key: string) => Promise<Item>;
  change: (item: Pick<Item, "id">, change: { text: string; marker?: string | null }, etag: string) => Promise<Item>;
  setCell: (place: Place, change: Partial<Pick<CellRecord, "state" | "heading_shown">>) => Promise<void>;
  open: (what: "details" | "carry" | "delete", item: Item) => void;
}

export interface Rights {
  /** Why the column cannot be edited; undefined for those who may. */
  readOnlyReason: string | undefined;
  own: boolean;
}

interface CellProps {
  row: number;
  col: number;
  span: number;
  year: number;
  goalId: string;
  block: Block;
  items: readonly Item[];
  cell: CellRecord | undefined;
  rights: Rights;
  /** Numbers of the goals below the chosen one, by id. */
  numbers: ReadonlyMap<string, string>;
  /** Names of organisations, by id. */
  names: ReadonlyMap<string, string>;
  lastYear: number;
  actions: Actions;
}

const same = (a: readonly unknown[], b: readonly unknown[]) => a.length === b.length && a.every((one, index) => Object.is(one, b[index]));

/** A sheet has hundreds of cells: one is drawn again only when something of it changed. */
export const SheetCell = memo(Cell, (before, after) =>
  Object.entries(after).every(([key, value]) => {
    const old = before[key as keyof CellProps] as unknown;
    return Array.isArray(value) && Array.isArray(old) ? same(old, value) : Object.is(old, value);
  }),
);

function Cell({ row, col, span, year, goalId, block, items, cell, rights, numbers, names, lastYear, actions }: CellProps) {
  const { actor, kind, grouped, kindShown } = block;
  const name = `${yearHead(year)}の${actor ? `${actor.label}の` : ""}${KIND_WORDS[kind]}`;
  const editable = rights.readOnlyReason === undefined;
  const printed = items.length > 0 || (cell ? cell.heading_shown || cell.state !== "not_entered" : !grouped);
  const proxies = items.map((item) => proxyOf(item, block));
  const proxy = proxies.length > 0 && proxies.every((one) => one !== null && one === proxies[0]) ? proxies[0] : null;
  return (
    <GridCell row={row} col={col} rowSpan={span} editLabel={editable ? name : undefined} readOnlyReason={rights.readOnlyReason} className={`sheet-cell ${grouped ? "sheet-grouped" : ""} ${printed ? "" : "print-empty"}`}>
      {({ editing, onEditingChange }) => (
        <>
          {grouped && (
            <p className="font-bold">
              ▼{actor?.label}
              {rights.own && <span className="no-print ms-1 rounded-4 border border-key-900 px-1 text-xs text-key-900">自分の欄</span>}
            </p>
          )}
          {kindShown && <p className="font-bold">【{KIND_WORDS[kind]}】</p>}
          {proxy && <p className="no-print text-xs text-solid-gray-700">代理入力：{names.get(proxy) ?? "ほかの組織"}</p>}
          {editable ? (
            <Editor {...{ year, goalId, block, items, cell, numbers, names, lastYear, actions, name, proxy }} open={editing} onClose={(byKeyboard) => onEditingChange(false, byKeyboard)} />
          ) : items.length > 0 ? (
            items.map((item) => (
              <div key={item.id} className="mt-1">
                <Text item={item} text={item.text} numbers={numbers} />
                <Marks item={item} kind={kind} names={names} proxy={proxy === null ? proxyOf(item, block) : null} />
              </div>
            ))
          ) : (
            <Empty cell={cell} />
          )}
        </>
      )}
    </GridCell>
  );
}

/** Somebody else than the organisation of the column entered it. */
const proxyOf = (item: Item, { actor }: Block) => (actor?.organization_id && item.entered_by_org_id !== actor.organization_id ? item.entered_by_org_id : null);

function Empty({ cell }: { cell: CellRecord | undefined }) {
  const state = cell?.state ?? "not_entered";
  return <p className={`text-solid-gray-700 ${state === "not_entered" ? "no-print" : ""}`}>{state === "not_entered" ? STATE_WORDS[state] : `◎${STATE_WORDS[state]}`}</p>;
}

function Text({ item, text, numbers }: { item: Item | undefined; text: string; numbers: ReadonlyMap<string, string> }) {
  const number = item && numbers.get(item.goal_id);
  return (
    <p className="flex gap-1">
      {item?.marker && <span className="shrink-0">{item.marker}</span>}
      <span className="min-w-0 whitespace-pre-wrap">
        {number && <span className="me-1 font-bold">{number}</span>}
        {text}
        {item?.continues && <span className="text-solid-gray-700">（次年度以降も継続）</span>}
      </span>
    </p>
  );
}

/** What stands beside a line: progress, date, person, where it came from. Not on paper, as the sheet has none of it. */
function Marks({ item, kind, names, proxy }: { item: Item; kind: Block["kind"]; names: ReadonlyMap<string, string>; proxy: string | null }) {
  const intended = kind === "planned" || kind === "milestone";
  const open = item.progress === "not_started" || item.progress === "ongoing";
  const late = open && item.due_on && item.due_on < todayInJapan();
  const marks = [
    (intended || item.progress !== "not_started") && `［${PROGRESS_WORDS[item.progress]}］`,
    item.due_on && `${late ? "▲期限超過 " : "期限 "}${formatDateShort(item.due_on)}`,
    item.responsible && `担当 ${item.responsible}`,
    item.carried_over_from_id && `↪ ${fiscalYearShort(item.original_fiscal_year)}から繰越`,
    proxy && `代理入力：${names.get(proxy) ?? "ほかの組織"}`,
  ].filter((mark) => typeof mark === "string");
  if (marks.length === 0) return null;
  return <p className={`no-print ms-4 text-xs ${late ? "font-bold text-error-1" : "text-solid-gray-700"}`}>{marks.join("　")}</p>;
}

/** Drafts of lines that were typed and never stored; more than one only after a loss of the connection. */
const SLOTS = [0, 1, 2, 3, 4];

interface EditorProps extends Pick<CellProps, "year" | "goalId" | "block" | "items" | "cell" | "numbers" | "names" | "lastYear" | "actions"> {
  name: string;
  proxy: string | null | undefined;
  open: boolean;
  onClose: (byKeyboard: boolean) => void;
}

/**
 * The lines of a cell, each saved for itself. Opened, one line is being written, the others wait with their buttons, and
 * a new line can be added. Lines stay in place when the cell closes: a save under way or refused is theirs to tell.
 */
function Editor({ year, goalId, block, items, cell, numbers, names, lastYear, actions, name, proxy, open, onClose }: EditorProps) {
  const draftOf = (slot: number) => `roadmap-items/new/${goalId}/${cellKey(year, block.actor?.id ?? null, block.kind)}/${slot}`;
  const [slot, setSlot] = useState(() => SLOTS.find((one) => readDraft(draftOf(one))) ?? 0);
  // A line keeps its place on the screen when it becomes a record: its key is that of the slot it was typed in.
  const [keys, setKeys] = useState<Record<string, string>>({});
  const [touched, setTouched] = useState(() => readDraft(draftOf(slot)) !== null);
  const [chosen, setChosen] = useState<string | null>();
  const [failure, setFailure] = useState<string>();
  const box = useRef<HTMLDivElement>(null);

  const keyOf = (item: Item) => keys[item.id] ?? item.id;
  const newKey = `new${slot}`;
  const first = items[0];
  const active = open ? (chosen === undefined ? (first ? keyOf(first) : newKey) : chosen) : null;
  const place: Place = { year, block, cell, last: items.at(-1) };

  const close = (byKeyboard: boolean) => {
    setChosen(undefined);
    onClose(byKeyboard);
  };
  // The dialog gives the focus back to the cell, where Enter opens it again.
  const ask = (what: Parameters<Actions["open"]>[0], item: Item) => {
    actions.open(what, item);
    close(false);
  };
  const leave = (event: FocusEvent) => {
    const to = event.relatedTarget;
    // Into another window, or into a question about this very cell: it stays open.
    if (!document.hasFocus() || (to instanceof Element && (box.current?.contains(to) || to.closest("dialog")))) return;
    close(false);
  };
  const write = async (item: Item | undefined, typed: string, key: string) => {
    const made = await actions.create(place, typed, key);
    if (!item) {
      setKeys((now) => ({ ...now, [made.id]: newKey }));
      setSlot((now) => now + 1);
      setTouched(false);
    }
    return made;
  };
  const setCell = (change: Parameters<Actions["setCell"]>[1]) => {
    setFailure(undefined);
    actions.setCell(place, change).catch((error: unknown) => setFailure(error instanceof Error ? error.message : "保存できませんでした。"));
  };

  // A line that was typed stays to tell how its saving went, though the cell was closed at once.
  const shown = touched || active === newKey || readDraft(draftOf(slot)) !== null;
  const lines = [...items.map((item) => ({ key: keyOf(item), item })), ...(shown ? [{ key: newKey, item: undefined }] : [])];
  return (
    // Esc leaves the cell from any of its buttons; the keys of a line are the line's own.
    // eslint-disable-next-line jsx-a11y/no-static-element-interactions
    <div
      ref={box}
      onBlur={open ? leave : undefined}
      onKeyDown={(event) => {
        if (!open || event.key !== "Escape" || !(event.target instanceof HTMLElement) || event.target.closest("dialog")) return;
        event.stopPropagation();
        close(true);
      }}
    >
      {lines.map(({ key, item }, index) => (
        <Line
          key={key}
          item={item}
          label={`${name} ${index + 1}行目`}
          draftKey={item && !keys[item.id] ? `roadmap-items/${item.id}/text` : draftOf(Number(key.slice(3)))}
          numbers={numbers}
          active={active === key}
          actions={actions}
          onCreate={(typed, intention) => write(item, typed, intention)}
          onEnd={(byKeyboard) => (byKeyboard ? close(true) : setChosen((now) => (now === key || now === undefined ? null : now)))}
        >
          {item && <Marks item={item} kind={block.kind} names={names} proxy={proxy ? null : proxyOf(item, block)} />}
          {open && item && (
            <div className="no-print -ms-2 flex flex-wrap">
              {active !== key && (
                <Tool label={`「${item.text}」を編集`} onClick={() => setChosen(key)}>
                  編集
                </Tool>
              )}
              <Tool label={`「${item.text}」の進捗・期限・担当`} onClick={() => ask("details", item)}>
                進捗・期限
              </Tool>
              {block.kind === "planned" && item.progress !== "carried_over" && year < lastYear && (
                <Tool label={`「${item.text}」を繰り越す`} onClick={() => ask("carry", item)}>
                  繰越
                </Tool>
              )}
              <Tool label={`「${item.text}」を削除`} onClick={() => ask("delete", item)}>
                削除
              </Tool>
            </div>
          )}
        </Line>
      ))}
      {items.length === 0 && !shown && <Empty cell={cell} />}
      {open && (
        <div className="no-print mt-1 grid gap-1">
          {active !== newKey && (
            <Tool
              label={`${name}に行を追加`}
              onClick={() => {
                setTouched(true);
                setChosen(newKey);
              }}
            >
              ＋ 行を追加
            </Tool>
          )}
          {items.length === 0 && (
            <>
              <Select
                size="sm"
                label={<span className="text-xs font-normal">空欄の意味</span>}
                value={cell?.state ?? "not_entered"}
                options={optionsOf(STATE_WORDS)}
                error={failure}
                onChange={(state) => setCell({ state: state as CellState })}
              />
              {(block.grouped || block.kindShown) && (
                <Checkbox label={<span className="text-xs">空欄でも見出しを印刷する</span>} checked={cell ? cell.heading_shown : !block.grouped} onChange={(heading_shown) => setCell({ heading_shown })} />
              )}
            </>
          )}
        </div>
      )}
    </div>
  );
}

function Tool({ label, onClick, children }: { label: string; onClick: () => void; children: string }) {
  return (
    // A press must not take the focus off the line being written: the line would shrink and the button move away.
    <Button variant="text" size="sm" className="min-h-8! px-2! text-xs!" aria-label={label} onMouseDown={(event) => event.preventDefault()} onClick={onClick}>
      {children}
    </Button>
  );
}

interface LineProps {
  item: Item | undefined;
  label: string;
  draftKey: string;
  numbers: ReadonlyMap<string, string>;
  active: boolean;
  actions: Actions;
  onCreate: (typed: string, intention: string) => Promise<Item>;
  onEnd: (byKeyboard: boolean) => void;
  children: React.ReactNode;
}

function Line({ item, label, draftKey, numbers, active, actions, onCreate, onEnd, children }: LineProps) {
  // A save that began before the record existed must not make a second one.
  const made = useRef<Pick<Item, "id">>(undefined);
  const intention = useRef<{ typed: string; key: string }>(undefined);
  const save = async (typed: string, etag: string) => {
    if (typed.trim() === "") throw new Error("空の行は保存できません。行を消すときは「削除」を選んでください。");
    const record = item ?? made.current;
    if (record) return { etag: etagOf((await actions.change(record, { text: typed.trim() }, etag)).version) };
    if (intention.current?.typed !== typed) intention.current = { typed, key: crypto.randomUUID() };
    const created = await onCreate(typed, intention.current.key);
    made.current = created;
    return { etag: etagOf(created.version) };
  };
  return (
    <div className="mt-1">
      <EditableText
        label={label}
        labelHidden
        value={item?.text ?? ""}
        etag={item ? etagOf(item.version) : ""}
        draftKey={draftKey}
        emptyLabel=""
        maxLength={20_000}
        editing={active}
        onEditingChange={(editing, byKeyboard) => !editing && onEnd(byKeyboard)}
        onSave={save}
        toConflict={(error) => textConflict(error, "text")}
        render={(text) => <Text item={item} text={text} numbers={numbers} />}
      />
      {children}
    </div>
  );
}
