/** What the codes of platforms mean in words. */
import { isLocked, type components } from "../../api";
import { pastMoment } from "../../lib/past";

type Schemas = components["schemas"];
export type Platform = Schemas["Platform"];
export type PlatformYear = Schemas["PlatformYear"];
export type Status = Schemas["Status"];
export type Launch = Schemas["Launch"];

export const PLATFORM_KINDS: Record<Schemas["PlatformKind"], string> = {
  partnership_platform: "官民連携プラットフォーム",
  regional_council: "孤独・孤立対策地域協議会",
  consultative_council: "協議体",
  liaison_conference: "連絡会議",
  sub_committee: "分科会",
  other: "その他",
};

export const LAUNCH_STATES: Record<Schemas["LaunchState"], string> = {
  established: "設置済み",
  not_established: "未",
  substituted: "未（代替あり）",
};

export const STATUS_WORDS: Record<Status, string> = {
  draft: "作成中",
  submitted: "提出済",
  returned: "差戻し",
  confirmed: "確定",
  published: "公表",
};

export const MEMBER_KINDS: Record<Schemas["MemberKind"], string> = { organization: "団体", category: "区分", network: "ネットワーク" };

export const MEMBER_ROLES: Record<Schemas["MemberRole"], string> = {
  lead: "中心となる団体",
  main_department: "庁内連携部局（メイン）",
  member_department: "庁内連携部局（メンバー）",
  secretariat: "事務局",
  chair: "会長・委員長",
  vice_chair: "副会長・副委員長",
  member: "参画メンバー",
  observer: "オブザーバー",
  coordinating_body: "調整機関",
};

export const FINDING_RULES: Record<Schemas["FindingRule"], string> = {
  wrong_weekday: "曜日の不一致",
  cost_sum: "金額の不一致",
  media_total: "数量の不一致",
  change_in_points: "増減の不一致",
  relisted_alone: "再掲の元がない",
};

/** 協議体（第2層） */
export const kindOf = ({ kind, layer }: Pick<Platform, "kind" | "layer">) => `${PLATFORM_KINDS[kind]}${layer ? `（第${layer}層）` : ""}`;

export const filled = (text: string | null | undefined) => text?.trim() || null;

const EDITED_BY_OWNER = "所有する組織の編集者が編集できます";

/** Why somebody cannot edit; undefined for whoever may. */
export function readOnlyReason(editable: boolean, sheet?: { status: Status }): string | undefined {
  if (editable) return undefined;
  if (pastMoment() !== undefined) return "過去の時点の記録です";
  return sheet && isLocked(sheet) ? `${STATUS_WORDS[sheet.status]}した記録のため、確定を取り消すまで編集できません` : EDITED_BY_OWNER;
}
