import type { components } from "../../api";

export type Role = components["schemas"]["Role"];
export type OrganizationKind = components["schemas"]["OrganizationKind"];

export const ROLES: Partial<Record<Role, { label: string; hint: string }>> = {
  municipality_viewer: { label: "市町村 閲覧者", hint: "見るだけで、変更はできません。" },
  municipality_editor: { label: "市町村 編集者", hint: "記録を作成、変更、提出します。" },
  municipality_admin: { label: "市町村 管理者", hint: "編集に加えて、確定、公表、利用者の管理をします。" },
  council_editor: { label: "社会福祉協議会 編集者", hint: "自分の団体の記録と、計画の自分の欄を編集します。" },
  prefecture_editor: { label: "都道府県 編集者", hint: "自分の記録を編集し、市町村が提出した記録を見ます。" },
  prefecture_admin: { label: "都道府県 管理者", hint: "編集に加えて、確定、公表、利用者の管理をします。" },
  joint_body_secretariat: { label: "広域事務局", hint: "広域の記録を編集し、確定、公表、利用者の管理をします。" },
  partner: { label: "連携団体", hint: "共有された記録を見て、自分の欄を編集します。" },
  adviser: { label: "アドバイザー", hint: "許可された記録を見ます。" },
  analyst: { label: "分析担当", hint: "公表された値を集計に使います。" },
  auditor: { label: "監査担当", hint: "変更の履歴と利用者を確かめます。" },
  system_admin: { label: "システム管理者", hint: "団体と、その最初の管理者を登録します。" },
};

export const ORGANIZATION_KINDS: Record<OrganizationKind, string> = {
  municipality: "市区町村",
  prefecture: "都道府県",
  national: "国",
  department: "庁内部局・課",
  joint_body: "広域の共同体",
  social_welfare_council: "社会福祉協議会",
  community_general_support_center: "地域包括支援センター",
  community_promotion_council: "地域振興協議会",
  social_welfare_corporation: "社会福祉法人",
  npo: "NPO法人",
  general_incorporated_association: "一般社団法人",
  medical: "医療機関",
  cooperative: "協同組合",
  company: "企業",
  school: "学校",
  residents_group: "住民組織",
  operator: "つなぎの運営者",
  other: "その他",
};

/** Roles that fit an organisation of this kind, the most usual first; the database refuses the others. */
export function rolesOf(kind: OrganizationKind): Role[] {
  const everywhere: Role[] = ["adviser", "analyst", "auditor"];
  switch (kind) {
    case "municipality":
      return ["municipality_editor", "municipality_admin", "municipality_viewer", ...everywhere];
    case "prefecture":
      return ["prefecture_editor", "prefecture_admin", ...everywhere];
    case "social_welfare_council":
      return ["council_editor", ...everywhere];
    case "joint_body":
      return ["joint_body_secretariat", ...everywhere];
    case "operator":
      return ["system_admin", ...everywhere];
    case "national":
    case "department":
      return everywhere;
    default:
      return ["partner", ...everywhere];
  }
}

/** The one who looks after the others, for the first account of an organisation. */
export const firstRoleOf = (kind: OrganizationKind): Role | undefined =>
  rolesOf(kind).find((role) => role.endsWith("_admin") || role === "joint_body_secretariat") ?? rolesOf(kind)[0];

/** Letters that are not mistaken for one another when they are read out or copied from paper. */
const LETTERS = "abcdefghjkmnpqrstuvwxyz23456789";

/** A first password: 20 letters in groups of five, 98 bits. */
export function makePassword(): string {
  const letters: string[] = [];
  while (letters.length < 20) {
    const [byte = 255] = crypto.getRandomValues(new Uint8Array(1));
    // Bytes beyond the last whole round would favour the first letters.
    if (byte < 256 - (256 % LETTERS.length)) letters.push(LETTERS.charAt(byte % LETTERS.length));
  }
  return letters.join("").replace(/(.{5})(?=.)/g, "$1-");
}
