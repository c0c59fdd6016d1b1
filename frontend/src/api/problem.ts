/**
 * `application/problem+json` (RFC 9457) of the server, and its Japanese sentences. The stable
 * `code` chooses the sentence; a code without an entry shows the server's own Japanese `detail`.
 */

export interface FieldProblem {
  /** JSON pointer into the request body: `/email`, `/schedule/0/date`. */
  path: string;
  code: string;
  message: string;
}

export interface Problem {
  type?: string;
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

/** Sentences name what happened and what the reader can do. */
const SENTENCES: Record<string, string> = {
  // Reaching the server
  network: "サーバーに接続できませんでした。庁内ネットワークの接続を確認して、もう一度お試しください。",
  unreadable_answer: "サーバーから読み取れない応答がありました。時間をおいて、もう一度お試しください。",
  // Who you are
  unauthenticated: "サインインの有効期間が切れました。もう一度サインインしてください。",
  invalid_credentials: "メールアドレスまたはパスワードが違います。入力した内容を確認してください。",
  forbidden: "この操作を行う権限がありません。所属する組織の管理者にご相談ください。",
  not_found: "該当するデータが見つかりません。削除されたか、閲覧できる範囲の外にあります。",
  // Writing
  validation_failed: "入力内容に誤りがあります。赤字の項目を確認してください。",
  version_conflict: "編集している間に、ほかの人がこのデータを更新しました。両方の内容を確認してください。",
  precondition_required: "画面のデータが古くなっています。ページを再読み込みしてから、もう一度保存してください。",
  idempotency_mismatch: "同じ送信番号で別の内容が送られました。ページを再読み込みしてから、もう一度保存してください。",
  payload_too_large: "送信するデータが大きすぎます。内容を分けて保存してください。",
  // Load
  too_many_requests: "操作が集中しています。少し待ってから、もう一度お試しください。",
  unavailable: "ただいまサーバーを利用できません。1分ほど待ってから、もう一度お試しください。",
  internal: "サーバーで問題が起きました。続く場合は、問い合わせ番号を管理者にお知らせください。",
};

/** When a code is unknown and the answer has no detail, the status still says something true. */
const BY_STATUS: Record<number, string> = {
  400: "validation_failed",
  401: "unauthenticated",
  403: "forbidden",
  404: "not_found",
  410: "not_found",
  412: "version_conflict",
  413: "payload_too_large",
  422: "validation_failed",
  428: "precondition_required",
  429: "too_many_requests",
  503: "unavailable",
};

export function problemMessage(problem: Problem): string {
  const fallback = SENTENCES[BY_STATUS[problem.status] ?? "internal"] ?? "";
  return SENTENCES[problem.code] ?? problem.detail ?? fallback;
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
  const problem: Problem =
    typeof body === "object" && body !== null && "code" in body
      ? { ...(body as Problem), status: response.status }
      : { status: response.status, code: "unknown", request_id: response.headers.get("x-request-id") ?? undefined };
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
