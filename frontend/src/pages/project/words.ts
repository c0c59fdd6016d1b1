/** What the codes of projects mean in words. */
import type { components } from "../../api";

type Schemas = components["schemas"];
export type Project = Schemas["Project"];
export type ProjectFields = Schemas["ProjectFields"];

export const PROGRESS: Record<Schemas["ProjectProgress"], string> = {
  planned: "予定",
  ongoing: "実施中",
  done: "完了",
  cancelled: "中止",
};

const SIGNS: Record<Schemas["ProjectProgress"], string> = { planned: "○", ongoing: "▷", done: "✓", cancelled: "×" };

/** Shape and word: ✓ 完了 */
export const progressOf = (progress: Schemas["ProjectProgress"]) => `${SIGNS[progress]} ${PROGRESS[progress]}`;

export const MEDIA_KINDS: Record<Schemas["MediaKind"], string> = { video: "動画", paper: "紙", other: "その他" };
