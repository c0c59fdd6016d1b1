/** Words of the sync log. */
import type { components } from "../../api";
import { ENTITIES } from "../history/words";

export type Run = components["schemas"]["SyncRun"];
export type Row = components["schemas"]["SyncRow"];

export const KINDS: Record<Run["kind"], string> = { batch: "まとめて送信", import: "ファイルの取り込み", deletions: "一覧にない記録の削除" };
export const STATES: Record<Run["state"], string> = { waiting: "○ 待機中", running: "◐ 実行中", done: "● 終了", failed: "✕ 失敗", cancelled: "－ 取りやめ" };

export const ACTORS: Record<Run["actor_kind"], string> = { user: "利用者", client: "システム" };

/** Who it was: the name of that time, and whether it is a person's or a system's. */
export const whoOf = ({ actor_name: name, actor_kind: kind }: Run) => `${name ?? "名前のない送り手"}（${ACTORS[kind]}）`;

export const COUNTS = [
  ["created", "追加"],
  ["updated", "更新"],
  ["unchanged", "変更なし"],
  ["deleted", "削除"],
  ["conflict", "要判断"],
  ["error", "エラー"],
] as const;

/** What was done, in one sentence. */
export const verdict = (run: Run) =>
  run.dry_run ? "試行（書き込んでいません）" : run.state === "done" && !run.committed ? "書き込んでいません" : "";

/** Kinds that a file can have, as the server takes them. */
const NOT_IN_FILES = new Set(["users", "user_roles", "grants", "clients", "external_ids"]);
export const FILE_KINDS = Object.entries(ENTITIES)
  .filter(([entity]) => !NOT_IN_FILES.has(entity))
  .map(([value, { word }]) => ({ value, label: word }));
