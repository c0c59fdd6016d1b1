/**
 * Prose of a document: lines with mark, depth and label. On screen it is edited as plain text, one line a line, as
 * staff type and paste it: full-width spaces indent, a mark begins the line, 「見出し｜」 is a label.
 */

export interface ProseItem {
  depth?: number;
  marker?: string | null;
  label?: string | null;
  text: string;
}

export type ProseState = "not_entered" | "none" | "not_applicable" | "entered";

export interface Prose {
  state: ProseState;
  items?: ProseItem[];
}

/** Four kinds of empty: zero lines always say why. */
export const EMPTY_WORDS: Record<Exclude<ProseState, "entered">, string> = {
  not_entered: "未記入",
  none: "なし",
  not_applicable: "該当なし",
};

const BREAK = "↵";
const MAX_DEPTH = 9;
const MARKER = /^([●○◎□■◇◆▶▷▼➢➤✓✔・※⇒→★☆△▲×－-]|[①-⑳]|[（(]\d{1,2}[）)]|\d{1,2}[.．)）]|[（(]?[ア-ン][）)])[ 　]?(?=\S)/u;

const lineOf = ({ depth = 0, marker, label, text }: ProseItem) =>
  `${"　".repeat(depth)}${marker ? `${marker} ` : ""}${label ? `${label}｜` : ""}${text.replaceAll("\n", BREAK)}`;

export const proseToText = (prose: Prose) => (prose.items ?? []).map(lineOf).join("\n");

function itemOf(line: string): ProseItem {
  const indent = /^(?:　|\t| {2})*/.exec(line)?.[0] ?? "";
  const depth = Math.min(MAX_DEPTH, indent.replaceAll("  ", "　").length);
  let rest = line.slice(indent.length).trim();
  const marker = MARKER.exec(rest);
  if (marker) rest = rest.slice(marker[0].length).trim();
  const bar = rest.indexOf("｜");
  const label = bar > 0 ? rest.slice(0, bar) : undefined;
  const text = (bar > 0 ? rest.slice(bar + 1) : rest).replaceAll(BREAK, "\n");
  return { depth, ...(marker && { marker: marker[1] }), ...(label && { label }), text };
}

/**
 * The lines as typed. A line that stands in one of `known` comes back exactly as it was: an unusual mark or a bar inside
 * a sentence is not taken apart only because another line was edited.
 */
export function textToProse(text: string, known: readonly Prose[]): Prose {
  const before = new Map(known.flatMap(({ items = [] }) => items.map((item) => [lineOf(item), item] as const)));
  const items = text
    .split(/\r?\n/)
    .filter((line) => line.trim() !== "")
    .map((line) => before.get(line) ?? itemOf(line));
  const empty = known[0]?.state ?? "not_entered";
  return items.length > 0 ? { state: "entered", items } : { state: empty === "entered" ? "not_entered" : empty, items };
}
