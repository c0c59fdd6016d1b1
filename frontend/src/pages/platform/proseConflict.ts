import { isApiError, textConflict } from "../../api";
import type { Prose } from "../../lib/prose";

/** The other side of a refused write, for one slot of prose. */
export const proseConflict = (field: string) => (error: unknown) => {
  const conflict = textConflict(error, field);
  if (!conflict || !isApiError(error)) return null;
  const { [field]: theirs } = (error.problem.current ?? {}) as Record<string, Prose | undefined>;
  return { ...conflict, theirs: theirs ?? { state: "not_entered" as const, items: [] } };
};
