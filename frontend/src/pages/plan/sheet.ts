/** The roadmap sheet as a grid: its columns, the blocks inside them, the rows of a year, and the words of its codes. */
import type { components } from "../../api";
import { fiscalYearShort } from "../../lib/date";

type Schemas = components["schemas"];
export type Sheet = Schemas["Sheet"];
export type Plan = Schemas["Plan"];
export type Goal = Schemas["Goal"];
export type Actor = Schemas["PlanActor"];
export type Item = Schemas["RoadmapItem"];
export type CellRecord = Schemas["RoadmapCell"];
export type Kind = Schemas["RoadmapKind"];
export type Progress = Schemas["ItemProgress"];
export type CellState = Schemas["CellState"];

export const KIND_WORDS: Record<Kind, string> = { milestone: "進捗の目安", planned: "予定される取り組み", actual: "取組実績", note: "その他特記事項" };

export const PROGRESS_WORDS: Record<Progress, string> = { not_started: "未着手", ongoing: "実施中", done: "完了", dropped: "中止", carried_over: "繰越済" };

export const STATE_WORDS: Record<CellState, string> = { not_entered: "未入力", none: "なし", not_carried_out: "未実施", not_yet_due: "期限前" };

export const STAGES: Record<Schemas["EvaluationStage"], string> = { self: "自己評価", interim: "中間評価", committee: "委員会評価", final: "総合評価" };

export const PLAN_KINDS: Record<Schemas["PlanKind"], string> = {
  community_welfare_plan: "地域福祉計画",
  community_welfare_activity_plan: "地域福祉活動計画（社会福祉協議会）",
  multilayered_support_plan: "重層的支援体制整備事業実施計画",
  platform_plan: "プラットフォームの計画",
  other: "その他",
};

/** 2021（R3）年度, as the head of a row. */
export const yearHead = (year: number) => `${year}（${fiscalYearShort(year)}）年度`;

/** (1) 専門機関における相談機能の強化・充実 */
export const goalName = ({ number, title }: Pick<Goal, "number" | "title">) => `${number ?? ""}${title}`;

/** One cell of a year: what one actor has of one kind. */
export interface Block {
  key: string;
  actor: Actor | null;
  kind: Kind;
  /** The actor is one of several in its column: ▼東西町地域振興協議会 stands above. */
  grouped: boolean;
  /** Several kinds stand below each other: 【予定される取り組み】 stands above. */
  kindShown: boolean;
}

export interface Column {
  key: string;
  title: string;
  /** The only actor of the column; null where there are several, or none. */
  actor: Actor | null;
  blocks: Block[];
}

export const cellKey = (year: number, actorId: string | null, kind: Kind) => `${year}/${actorId ?? ""}/${kind}`;

const ORDER: Kind[] = ["milestone", "planned", "actual", "note"];

/**
 * The columns in the plan's order. A council in a group has its record (取組実績), and its intentions only where
 * somebody entered some or `groupPlans` asks for them; every other actor has both. Nothing entered is left out.
 */
export function columnsOf(sheet: Pick<Sheet, "actors" | "items" | "cells">, groupPlans: boolean): Column[] {
  const used = new Set([...sheet.items, ...sheet.cells].map(({ actor_id, kind }) => `${actor_id ?? ""}/${kind}`));
  const ids = new Set(sheet.actors.map(({ id }) => id));
  const childrenOf = (actor: Actor): Actor[] => sheet.actors.filter(({ parent_id }) => parent_id === actor.id).flatMap((child) => [child, ...childrenOf(child)]);
  const block = (actor: Actor | null, kind: Kind, grouped: boolean, kindShown: boolean): Block => ({ key: `${actor?.id ?? ""}/${kind}`, actor, kind, grouped, kindShown });
  const blocksOf = (actor: Actor, usual: Kind[], grouped: boolean) => {
    const kinds = ORDER.filter((kind) => usual.includes(kind) || used.has(`${actor.id}/${kind}`));
    return kinds.map((kind) => block(actor, kind, grouped, !grouped || kinds.length > 1));
  };
  const roots = sheet.actors.filter(({ parent_id }) => !parent_id || !ids.has(parent_id));
  return [
    { key: "milestone", title: KIND_WORDS.milestone, actor: null, blocks: [block(null, "milestone", false, false)] },
    ...roots.map((root): Column => {
      const children = childrenOf(root);
      const grouped = children.length > 0;
      const usual: Kind[] = !grouped || groupPlans ? ["planned", "actual"] : ["actual"];
      return {
        key: root.id,
        title: `${root.label}の取り組み実績`,
        actor: grouped ? null : root,
        blocks: grouped ? [...blocksOf(root, [], true), ...children.flatMap((child) => blocksOf(child, usual, true))] : blocksOf(root, usual, false),
      };
    }),
    { key: "note", title: KIND_WORDS.note, actor: null, blocks: [block(null, "note", false, false)] },
  ];
}

export interface Slot {
  column: number;
  span: number;
  block: Block;
}

/** Rows of one year: as many as the fullest column has blocks; the blocks of the others span several, evenly. */
export function rowsOfYear(columns: readonly Column[]): Slot[][] {
  const count = Math.max(1, ...columns.map(({ blocks }) => blocks.length));
  const rows: Slot[][] = Array.from({ length: count }, () => []);
  columns.forEach(({ blocks }, column) => {
    const start = (index: number) => Math.floor((index * count) / blocks.length);
    blocks.forEach((block, index) => rows[start(index)]?.push({ column, span: start(index + 1) - start(index), block }));
  });
  return rows;
}

/** Rows by cell, in their order. */
export function byCell<T extends { fiscal_year: number; actor_id?: string | null; kind: Kind }>(rows: readonly T[]): Map<string, T[]> {
  const cells = new Map<string, T[]>();
  for (const row of rows) {
    const key = cellKey(row.fiscal_year, row.actor_id ?? null, row.kind);
    const cell = cells.get(key);
    if (cell) cell.push(row);
    else cells.set(key, [row]);
  }
  return cells;
}

const MARKER = /^([◎●○・□■◇◆▶▼➢✓※⇒★☆－-])[ 　]*(?=\S)/u;

/** A line as typed or pasted from the printed sheet: 「◎研修の実施」 brings its own mark. */
export function splitMarker(typed: string, usual: string | null): { marker: string | null; text: string } {
  const text = typed.trim();
  const found = MARKER.exec(text);
  return found ? { marker: found[1] ?? usual, text: text.slice(found[0].length) } : { marker: usual, text };
}

/** Goals in the order of the tree, each with its depth. */
export function inTreeOrder(goals: readonly Goal[]): { goal: Goal; depth: number }[] {
  const below = (parent: string | null, depth: number): { goal: Goal; depth: number }[] =>
    goals.filter(({ parent_id }) => (parent_id ?? null) === parent).flatMap((goal) => [{ goal, depth }, ...below(goal.id, depth + 1)]);
  return below(null, 0);
}

/** Goals that are evaluated: those with nothing below, and any that has an evaluation. */
export const evaluatedGoals = ({ goals, evaluations }: Pick<Sheet, "goals" | "evaluations">) =>
  goals.filter(({ id }) => !goals.some(({ parent_id }) => parent_id === id) || evaluations.some(({ goal_id }) => goal_id === id));
