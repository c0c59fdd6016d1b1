/** Why a notification did not arrive, and what to do about it. */
const FAILURES: Record<string, string> = {
  timeout: "時間内に返事がありませんでした。受け取る側が動いているか確かめてください。",
  unresolved: "通知先のホスト名が見つかりません。URLを確かめてください。",
  forbidden_address: "通知先のホスト名が、通知できないアドレスを指しています。インターネットから見えるサーバーにしてください。",
  not_connected: "通知先に接続できません。サーバーが動いているか、通信が許可されているかを確かめてください。",
  tls: "安全な通信（TLS）を始められません。通知先の証明書を確かめてください。",
  broken_answer: "返事を読み取れませんでした。URLが正しいか確かめてください。",
};

/** What came of sending, in a sentence. */
export function outcomeOf({ answer_status: status, failure }: { answer_status?: number | null; failure?: string | null }): string {
  if (failure === "status") return `通知先が ${status} と答えました。受け取る側の記録を確かめてください。`;
  if (failure) return FAILURES[failure] ?? "通知先のURLを確かめてください。";
  return status ? `通知先が ${status} と答えました。` : "";
}

export const STATUSES = {
  pending: "… 送信待ち",
  delivered: "● 届いた",
  dead: "✕ 届かなかった",
  retry: "↻ 送り直し中",
} as const;
