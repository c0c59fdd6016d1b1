/** JSON merge patch (RFC 7396): a change of a record says only what changes, so that two people can change different fields. */

type Fields = Record<string, unknown>;

const isObject = (value: unknown): value is Fields => typeof value === "object" && value !== null && !Array.isArray(value);

export function sameValue(a: unknown, b: unknown): boolean {
  if (isObject(a) && isObject(b)) return Object.keys({ ...a, ...b }).every((key) => sameValue(a[key], b[key]));
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => sameValue(item, b[index]));
  return (a ?? null) === (b ?? null);
}

/** What turns `before` into `after`. Only fields of `after` are looked at; a field set to null or undefined is cleared. */
export function mergePatch<T extends object>(before: object, after: T): Partial<T> {
  const patch: Fields = {};
  const old = before as Fields;
  for (const [key, value] of Object.entries(after)) {
    if (sameValue(old[key], value)) continue;
    const from = old[key];
    if (isObject(value) && isObject(from)) {
      // Inside an object an absent field would stay: it must be named to be cleared.
      const cleared = Object.fromEntries(Object.keys(from).map((name) => [name, null]));
      patch[key] = mergePatch(from, { ...cleared, ...value });
    } else {
      patch[key] = value ?? null;
    }
  }
  return patch as Partial<T>;
}

/** Fields that I change and that somebody else has changed to something else since I read `before`. */
export function clashes(before: object, patch: object, now: object, after: object): string[] {
  const [old, current, mine] = [before as Fields, now as Fields, after as Fields];
  return Object.keys(patch).filter((key) => !sameValue(old[key], current[key]) && !sameValue(current[key], mine[key]));
}
