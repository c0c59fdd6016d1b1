/** Fields and codes of records in words, for people who read what was changed: the one table of labels. */
import { formatDate, formatInstant } from "../../lib/date";
import { formatDecimal } from "../../lib/decimal";
import { EMPTY_WORDS } from "../../lib/prose";
import { ORGANIZATION_KINDS, ROLES } from "../admin-users/words";
import { AREA_RULES, COMPARATORS, DIRECTIONS, FREQUENCIES, MISSING, PERIOD_KINDS, QUALITIES, TARGET_KINDS, TIME_RULES, VALUE_TYPES, VISIBILITIES } from "../kpi/words";
import { KIND_WORDS, PLAN_KINDS, PROGRESS_WORDS, STAGES, STATE_WORDS } from "../plan/sheet";
import { SCOPES, scopeWord } from "../admin-clients/words";
import { FINDING_RULES, LAUNCH_STATES, MEMBER_KINDS, MEMBER_ROLES, PLATFORM_KINDS, STATUS_WORDS } from "../platform/words";
import { MEDIA_KINDS, PROGRESS } from "../project/words";

/** Kinds of records; with the page that shows one, if there is one. */
export const ENTITIES: Record<string, { word: string; page?: string; list?: { label: string; href: string } }> = {
  organizations: { word: "団体", list: { label: "管理", href: "/admin/organizations" } },
  users: { word: "利用者", list: { label: "管理", href: "/admin/users" } },
  user_roles: { word: "役割", list: { label: "管理", href: "/admin/users" } },
  grants: { word: "閲覧の許可" },
  clients: { word: "連携システム", list: { label: "管理", href: "/admin/clients" } },
  client_secrets: { word: "連携システムのシークレット", list: { label: "管理", href: "/admin/clients" } },
  webhooks: { word: "変更の通知先", list: { label: "管理", href: "/admin/webhooks" } },
  platforms: { word: "プラットフォーム", page: "/platforms/", list: { label: "プラットフォーム", href: "/platforms" } },
  platform_years: { word: "プラットフォームの年度の記録" },
  members: { word: "参画メンバー" },
  plans: { word: "計画", page: "/plans/", list: { label: "計画・ロードマップ", href: "/plans" } },
  plan_actors: { word: "計画の活動主体" },
  evaluation_levels: { word: "評価基準の段階" },
  goals: { word: "計画の目標" },
  goal_roles: { word: "活動主体の役割" },
  roadmap_cells: { word: "ロードマップの欄" },
  roadmap_items: { word: "ロードマップの項目" },
  evaluations: { word: "評価" },
  projects: { word: "事業", page: "/projects/", list: { label: "プラットフォーム", href: "/platforms" } },
  project_costs: { word: "事業の費用" },
  kpis: { word: "KPI", page: "/kpis/", list: { label: "KPI", href: "/kpis" } },
  kpi_placements: { word: "KPIの掲載場所" },
  kpi_series: { word: "KPIの系列" },
  kpi_targets: { word: "KPIの目標" },
  kpi_observations: { word: "KPIの値" },
  municipality_facts: { word: "市区町村の基礎数値" },
  external_ids: { word: "外部システムのID" },
  finding_notes: { word: "指摘事項への説明" },
};

/** The same name means the same thing on every record, with the exceptions below. */
const FIELDS: Record<string, string> = {
  name: "名称",
  title: "表題",
  subtitle: "副題",
  label: "見出し",
  role_label: "役割の見出し",
  kana: "ふりがな",
  aliases: "別名",
  code: "番号",
  number: "番号",
  kind: "種類",
  definition: "定義",
  value_type: "値の種類",
  unit: "単位",
  decimals: "小数点以下の桁数",
  direction: "望ましい方向",
  numerator_label: "分子",
  denominator_label: "分母",
  baseline: "基準値",
  time_rule: "時間の合算",
  area_rule: "地域の合算",
  frequency: "記録の頻度",
  responsible: "担当",
  data_source: "値の出典",
  counts_people: "人数の指標",
  printed: "原文表記",
  visibility: "公開範囲",
  status: "状態",
  position: "表示順",
  platform_id: "プラットフォーム",
  plan_id: "計画",
  goal_id: "計画の目標",
  project_id: "事業",
  organization_id: "団体",
  parent_id: "上位",
  predecessor_id: "前身",
  successor_id: "後継",
  actor_id: "活動主体",
  owner_org_id: "記録を持つ団体",
  user_id: "利用者",
  kpi_id: "KPI",
  series_id: "系列",
  scope_id: "許可の対象",
  contractor_id: "発注先の団体",
  level_id: "評価",
  supersedes_id: "訂正した版",
  fiscal_year: "年度",
  first_fiscal_year: "計画の初年度",
  last_fiscal_year: "計画の最終年度",
  original_fiscal_year: "当初の年度",
  value: "値",
  high: "上限",
  low: "下限",
  numerator: "分子",
  denominator: "分母",
  state: "状態・文章",
  states: "めざす姿",
  missing_reason: "値がない理由",
  approximate: "およその値",
  quality: "確定の度合い",
  series_break: "系列の断絶",
  source: "出典",
  note: "備考",
  reason: "理由",
  revision: "版",
  recorded_by: "記録した人",
  period_kind: "期間の種類",
  period_start: "期間の始まり",
  period_end: "期間の終わり",
  comparator: "達成の条件",
  text: "本文",
  rationale: "考え方",
  scope: "対象の範囲",
  relisted: "再掲",
  municipality_code: "市区町村",
  prefecture_code: "都道府県",
  municipality_codes: "圏域の市区町村",
  district: "地区",
  districts: "地区",
  dimensions: "区分",
  corporate_number: "法人番号",
  url: "ウェブサイト",
  phone: "電話番号",
  valid_from: "有効な最初の日",
  valid_to: "有効な最後の日",
  email: "メールアドレス",
  department: "所属部署",
  active: "有効",
  role: "役割",
  expires_at: "有効期限",
  client_id: "連携システム",
  scopes: "できること",
  addresses: "接続元のアドレス",
  public_keys: "公開鍵",
  kid: "鍵の名前",
  kty: "鍵の種類",
  crv: "曲線",
  x: "鍵の値 x",
  y: "鍵の値 y",
  n: "鍵の値 n",
  e: "鍵の値 e",
  alg: "署名の方式",
  use: "鍵の用途",
  layer: "層",
  area_name: "圏域名",
  launches: "立ち上げ",
  members_note: "メンバーの補足",
  lead_department: "担当部局",
  final_goals: "最終的なゴール",
  next_year_proposals: "次年度以降の事業案",
  process_notes: "留意点",
  class: "会員の区分",
  joined_on: "参画日",
  left_on: "退会日",
  is_reference: "※参考",
  progress: "進捗",
  content: "事業内容",
  aims: "目的／期待効果・KPI",
  results: "結果",
  verification: "成果検証結果",
  schedules: "実施時期",
  summary: "概要",
  sections: "そのほかの欄",
  media_plan: "広報の実施概要",
  contractor: "発注先",
  items: "内訳",
  amount_yen: "金額",
  edition: "版",
  stage: "評価の時期",
  criteria: "基準",
  carried_over_from_id: "持ち越し元",
  entity: "記録の種類",
  record_id: "記録",
  external_id: "外部のID",
  as_of: "時点",
  as_of_on: "時点",
  period: "時期",
  start: "始まり",
  end: "終わり",
  precision: "正確さ",
  days: "日",
  depth: "段",
  marker: "記号",
  substituted_by: "代わりの組織",
  issue: "課題",
  action: "アクション",
  change: "変化",
  selection_notes: "選出・打診時の工夫",
  breakthrough: "ブレイクスルー要因",
  final_goals_closing: "最終的なゴールの結び",
  goals_of_year: "今年度のゴール",
  partnership_values: "PF連携による価値や工夫",
  prior_efforts: "従前の取り組み",
  reactions: "公表した際の反響",
  trial_points: "試行的事業のポイント・工夫",
  joined_text: "参画時期の原文表記",
  linkage: "連携内容",
  entered_by_owner: "代理入力",
  rank: "順位",
  expected_actor: "期待される活動主体",
  entered_by_org_id: "入力した団体",
  heading_shown: "見出しの表示",
  continues: "前の年度からの継続",
  due_on: "期限",
  decided_by: "評価した人",
  decided_on: "評価した日",
  remark: "その他特記事項",
  detail_aims: "ねらい",
  ingenuity_points: "工夫点",
  theme: "テーマ",
  factors: "要因",
  timeline: "経過",
  medium: "媒体",
  outlets: "設置・掲載の場所",
  outlet_note: "場所の補足",
  per_outlet: "1か所あたり",
  quantity: "数量",
  done: "実施済み",
  when: "時期",
  start_time: "開始時刻",
  end_time: "終了時刻",
  place: "場所",
  heading: "見出し",
  body: "本文",
  round: "回",
  explanation: "説明",
  description: "用途",
  entities: "知らせる記録の種類",
  rule: "指摘事項",
};

/** What names a record comes first, what only orders it last. */
const ORDER = ["fiscal_year", ...Object.keys(FIELDS).filter((field) => field !== "position" && field !== "fiscal_year"), "position"];

const EXCEPTIONS: Record<string, string> = { "kpis.name": "指標名", "kpi_observations.number": "数値", "users.name": "氏名", "users.title": "役職", "clients.name": "システムの名前", "webhooks.url": "通知先のURL", "webhooks.active": "通知する", "evaluations.stage": "評価の時期" };

export const fieldWord = (entity: string, field: string) => EXCEPTIONS[`${entity}.${field}`] ?? FIELDS[field] ?? field;

const labels = <K extends string>(words: Partial<Record<K, { label: string }>>): Record<string, string> =>
  Object.fromEntries(Object.entries<{ label: string } | undefined>(words).flatMap(([code, word]) => (word ? [[code, word.label]] : [])));

const PROSE = { ...EMPTY_WORDS, entered: "記入あり" };

/** Codes in the words of the screens, by field or by record and field. Elsewhere a text is what somebody wrote. */
const CODES: Record<string, Record<string, string>> = {
  status: STATUS_WORDS,
  visibility: VISIBILITIES,
  missing_reason: MISSING,
  quality: QUALITIES,
  period_kind: PERIOD_KINDS,
  frequency: FREQUENCIES,
  value_type: labels(VALUE_TYPES),
  direction: DIRECTIONS,
  time_rule: labels(TIME_RULES),
  area_rule: labels(AREA_RULES),
  comparator: COMPARATORS,
  stage: STAGES,
  role: MEMBER_ROLES,
  rule: FINDING_RULES,
  entity: Object.fromEntries(Object.entries(ENTITIES).map(([entity, { word }]) => [entity, word])),
  entities: Object.fromEntries(Object.entries(ENTITIES).map(([entity, { word }]) => [entity, word])),
  state: PROSE,
  precision: { day: "日", days: "複数の日", month: "月", quarter: "四半期", fiscal_year: "年度", year: "年", range: "期間", undecided: "未定", irregular: "不定期" },
  "organizations.kind": ORGANIZATION_KINDS,
  "user_roles.role": { ...labels(ROLES), council_client: "社会福祉協議会のシステム", partner_client: "連携団体のシステム" },
  "platforms.kind": PLATFORM_KINDS,
  "platforms.state": { ...PROSE, ...LAUNCH_STATES },
  "members.kind": MEMBER_KINDS,
  "plans.kind": PLAN_KINDS,
  "plan_actors.kind": { community_promotion_council: "地域振興協議会・民間団体", social_welfare_council: "社会福祉協議会", government: "行政", other: "その他" },
  "goals.kind": { principle: "基本理念", basic_goal: "基本目標", basic_plan: "基本計画", priority_initiative: "重点取組", measure: "施策", item: "項目" },
  "roadmap_cells.kind": KIND_WORDS,
  "roadmap_cells.state": STATE_WORDS,
  "roadmap_items.kind": KIND_WORDS,
  "roadmap_items.progress": PROGRESS_WORDS,
  "projects.progress": PROGRESS,
  "projects.kind": MEDIA_KINDS,
  "kpi_targets.kind": labels(TARGET_KINDS),
  "municipality_facts.kind": { population: "人口", households: "世帯数", elderly_rate: "高齢化率", area: "面積", districts: "地区数", other: "その他" },
  "clients.scopes": Object.fromEntries(Object.keys(SCOPES).flatMap((kind) => [`${kind}:read`, `${kind}:write`].map((scope) => [scope, scopeWord(scope)]))),
  kty: { OKP: "Ed25519", EC: "P-256", RSA: "RSA" },
  crv: { Ed25519: "Ed25519", "P-256": "P-256" },
  alg: { EdDSA: "EdDSA", ES256: "ES256", RS256: "RS256", PS256: "PS256" },
  use: { sig: "署名" },
  "finding_notes.state": { explained: "説明済", fixed: "修正済" },
};

/** What a code of this field means; undefined for what is no code. */
export const codeWord = (entity: string, field: string, code: string) => (CODES[`${entity}.${field}`] ?? CODES[field])?.[code];

/** Not said: they follow from the change itself. */
const SILENT = new Set(["id", "version", "created_at", "updated_at", "owner_org_id", "search"]);
export const isSaid = (field: string) => !SILENT.has(field);

const isProse = (value: object): value is { state: string; items?: unknown[] } => "state" in value && Object.keys(value).every((key) => key === "state" || key === "items");

/** A stored value as text. `names` has the names of other records by their id. */
export function valueText(entity: string, field: string, value: unknown, names: ReadonlyMap<string, string>): string {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value === "boolean") return value ? "はい" : "いいえ";
  if (typeof value === "number") return field.endsWith("fiscal_year") || field === "position" ? String(value) : formatDecimal(String(value));
  if (typeof value === "string") {
    const named = names.get(value);
    if (named) return named;
    const word = codeWord(entity, field, value);
    if (word !== undefined) return word;
    if (/^\d{4}-\d{2}-\d{2}$/.test(value)) return formatDate(value, { weekday: false });
    if (/^\d{4}-\d{2}-\d{2}T/.test(value)) return formatInstant(value);
    return value;
  }
  if (Array.isArray(value)) return value.map((item) => valueText(entity, field, item, names)).join("\n");
  const parts = value as Record<string, unknown>;
  // Prose reads as it is printed, an empty slot says why; anything else names its parts.
  if (isProse(parts)) return parts.items?.length ? valueText(entity, field, parts.items, names) : `（${codeWord(entity, "state", parts.state) ?? parts.state}）`;
  if ("text" in parts) return [parts.marker, parts.label, parts.text].filter(Boolean).join(" ");
  return Object.entries(parts)
    .map(([key, part]) => [key, valueText(entity, key, part, names)] as const)
    .filter(([, text]) => text !== "")
    .map(([key, text]) => (key === "items" ? text : `${fieldWord(entity, key)}：${text}`))
    .join("\n");
}

/** What a change says, in words. Creating and deleting say the whole record. */
export function changesOf(entry: { operation: string; record: Record<string, unknown>; changes: readonly { field: string; from?: unknown; to?: unknown }[] }) {
  const raw =
    entry.operation === "U"
      ? entry.changes
      : Object.entries(entry.record).map(([field, value]) => (entry.operation === "D" ? { field, from: value, to: null } : { field, from: null, to: value }));
  const empty = (value: unknown) =>
    value === null || value === undefined || value === "" || value === false || (typeof value === "object" && (Object.keys(value).length === 0 || (isProse(value) && value.state === "not_entered")));
  return raw
    .filter(({ field, from, to }) => isSaid(field) && !(empty(from) && empty(to)) && (entry.operation === "U" || from !== to))
    .map(({ field, from, to }) => ({ field, from: from ?? null, to: to ?? null }))
    .sort((a, b) => ORDER.indexOf(a.field) - ORDER.indexOf(b.field));
}
