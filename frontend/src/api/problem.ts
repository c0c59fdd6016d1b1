/**
 * `application/problem+json` (RFC 9457) of the server, and its Japanese sentences. The stable
 * `code` chooses the sentence; a code without an entry shows the server's own Japanese sentence.
 */

export interface FieldProblem {
  /** JSON pointer into the request body: `/email`, `/schedule/0/date`. */
  path: string;
  code: string;
  message: string;
}

export interface Problem {
  type?: string;
  /** The server's Japanese sentence: what is wrong and what to do. */
  title?: string;
  status: number;
  code: string;
  detail?: string;
  errors?: FieldProblem[];
  request_id?: string;
  /** 412 only: the representation that is stored now, who wrote it and when. */
  current?: unknown;
  changed_by?: string;
  changed_at?: string;
}

const RELOAD = "画面のデータが古くなっています。入力した内容を控えてからページを再読み込みし、もう一度保存してください。";
const PROGRAM = "画面とサーバーのやり取りに問題がありました。ページを再読み込みしてください。続く場合は管理者にお知らせください。";

/**
 * Sentences for what only the browser knows, and for codes whose own sentence speaks to the makers
 * of other programs. Every other code shows the server's sentence.
 */
const SENTENCES: Record<string, string> = {
  network: "サーバーに接続できませんでした。庁内ネットワークの接続を確認して、もう一度お試しください。",
  unauthenticated: "サインインの有効期間が切れました。もう一度サインインしてください。",
  stale: "編集している間に、ほかの人がこのデータを更新しました。両方の内容を確認してください。",
  precondition_required: RELOAD,
  bad_if_match: RELOAD,
  idempotency_key_reused: RELOAD,
  idempotency_key_required: PROGRAM,
  unsupported_media_type: PROGRAM,
  malformed_json: PROGRAM,
  bad_header: PROGRAM,
  bad_cursor: "一覧の続きを読み込めませんでした。ページを再読み込みしてください。",
};

/** For an answer without a problem body, e.g. the page of a proxy. */
function byStatus(status: number): string {
  if (status === 403) return "この操作を行う権限がありません。所属する組織の管理者にご相談ください。";
  if (status === 404) return "該当するデータが見つかりません。削除されたか、閲覧できる範囲の外にあります。";
  if (status === 413) return "送信するデータが大きすぎます。内容を分けて保存してください。";
  if (status === 429) return "操作が集中しています。少し待ってから、もう一度お試しください。";
  if (status >= 502) return "ただいまサーバーを利用できません。1分ほど待ってから、もう一度お試しください。";
  return "サーバーで問題が起きました。続く場合は、問い合わせ番号を管理者にお知らせください。";
}

export function problemMessage(problem: Problem): string {
  return SENTENCES[problem.code] ?? problem.detail ?? problem.title ?? byStatus(problem.status);
}

/** First message of each field, keyed by JSON pointer (`fieldErrors(problem)["/email"]`). */
export function fieldErrors(problem: Problem | undefined): Partial<Record<string, string>> {
  const messages: Partial<Record<string, string>> = {};
  for (const { path, message } of problem?.errors ?? []) messages[path] ??= message;
  return messages;
}

/** What every failed call throws: an `Error` whose message can stand on a screen. */
export class ApiError extends Error {
  readonly problem: Problem;
  /** Seconds to wait, from `Retry-After`. */
  readonly retryAfter: number | undefined;

  constructor(problem: Problem, retryAfter?: number) {
    super(problemMessage(problem));
    this.name = "ApiError";
    this.problem = problem;
    this.retryAfter = retryAfter;
  }

  get status() {
    return this.problem.status;
  }

  get requestId() {
    return this.problem.request_id;
  }
}

const NETWORK: Problem = { status: 0, code: "network" };

export const networkError = () => new ApiError(NETWORK);

/** Reads a failed answer; one without a problem body (a proxy's page) still becomes an `ApiError`. */
export async function toApiError(response: Response): Promise<ApiError> {
  const retryAfter = Number(response.headers.get("retry-after"));
  const body: unknown = await response.json().catch(() => null);
  const known = typeof body === "object" && body !== null && "code" in body ? (body as Problem) : { code: "unknown" };
  const problem = { request_id: response.headers.get("x-request-id") ?? undefined, ...known, status: response.status };
  return new ApiError(problem, retryAfter > 0 ? retryAfter : undefined);
}

export const isApiError = (error: unknown): error is ApiError => error instanceof ApiError;

/** The other side of a refused write (412), for one text field of the record. */
export function textConflict(error: unknown, field: string) {
  if (!isApiError(error) || error.status !== 412) return null;
  const current = (error.problem.current ?? {}) as Record<string, unknown>;
  return {
    theirs: String(current[field] ?? ""),
    etag: `"v${String(current.version)}"`,
    changedBy: error.problem.changed_by,
    changedAt: error.problem.changed_at,
  };
}
