/**
 * Text that was typed and not yet acknowledged by the server, kept in the tab's session storage.
 * Drafts belong to one person: on a shared computer the next person to sign in must not see them.
 */

export interface Draft {
  text: string;
  /** The text on the server when typing began, and the ETag of that version. */
  base: string;
  etag: string;
}

const PREFIX = "tsunagi.draft.";
const OWNER = "tsunagi.draft-owner";

const keys = () =>
  Array.from({ length: sessionStorage.length }, (_, index) => sessionStorage.key(index) ?? "").filter((key) => key.startsWith(PREFIX));

export function readDraft(key: string): Draft | null {
  const stored = sessionStorage.getItem(PREFIX + key);
  return stored === null ? null : (JSON.parse(stored) as Draft);
}

export function writeDraft(key: string, draft: Draft | null) {
  if (draft) sessionStorage.setItem(PREFIX + key, JSON.stringify(draft));
  else sessionStorage.removeItem(PREFIX + key);
}

export const countDrafts = () => keys().length;

export function clearDrafts() {
  for (const key of keys()) sessionStorage.removeItem(key);
}

/** Called at each sign-in: another person's drafts go. */
export function claimDrafts(userId: string) {
  if (sessionStorage.getItem(OWNER) !== userId) clearDrafts();
  sessionStorage.setItem(OWNER, userId);
}
