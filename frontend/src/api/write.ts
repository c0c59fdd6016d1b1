/** Writing from a form: one key per content, what went wrong, and changes of several people that meet. */
import { useRef, useState } from "react";
import { clashes, mergePatch } from "../lib/patch";
import { etagOf } from "./client";
import { isApiError, type ApiError } from "./problem";

type Key = { "Idempotency-Key": string };

/**
 * State of a form's write. `run(body, send)` gives `send` the idempotency key of this content: the same content sent
 * again (a lost answer, an impatient second click) cannot act twice, changed content is a new intention.
 */
export function useWrite() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError>();
  const intention = useRef<{ content: string; key: string }>(undefined);
  const run = async <T>(body: unknown, send: (headers: Key) => Promise<T>): Promise<T | undefined> => {
    const content = JSON.stringify(body);
    if (intention.current?.content !== content) intention.current = { content, key: crypto.randomUUID() };
    setBusy(true);
    setError(undefined);
    try {
      const result = await send({ "Idempotency-Key": intention.current.key });
      intention.current = undefined;
      return result;
    } catch (failure) {
      if (!isApiError(failure)) throw failure;
      setError(failure);
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, run, clear: () => setError(undefined) };
}

/** The record that somebody else has stored meanwhile, out of a refused write (412). */
export function newerRecord<T>(error: unknown): { record: T; by?: string; at?: string } | null {
  if (!isApiError(error) || error.status !== 412 || !error.problem.current) return null;
  return { record: error.problem.current as T, by: error.problem.changed_by, at: error.problem.changed_at };
}

/**
 * Changes a record by merge patch. When somebody else has changed other fields meanwhile, both changes hold: the
 * patch goes again on top of the newer version. When the same field was changed, the refusal (412) is thrown.
 */
export async function patchRecord<T extends { version: number }, F extends object>(
  before: T,
  after: F,
  send: (patch: Partial<F>, headers: Key & { "If-Match": string }) => Promise<unknown>,
): Promise<void> {
  const patch = mergePatch(before, after);
  if (Object.keys(patch).length === 0) return;
  let version = before.version;
  for (let attempt = 0; ; attempt += 1) {
    try {
      await send(patch, { "Idempotency-Key": crypto.randomUUID(), "If-Match": etagOf(version) });
      return;
    } catch (error) {
      const newer = newerRecord<T>(error);
      if (!newer || attempt >= 3 || clashes(before, patch, newer.record, after).length > 0) throw error;
      version = newer.record.version;
    }
  }
}
