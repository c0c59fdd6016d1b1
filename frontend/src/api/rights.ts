import { pastMoment } from "../lib/past";
import type { Identity } from "./session";

/** An operator looks after the accounts of all organisations, an administrator after those of the own one. */
export function administers(identity: Identity | null): "everywhere" | "own" | undefined {
  if (may(identity, "users", "create", { owner_org_id: "" })) return "everywhere";
  return may(identity, "users", "create") ? "own" : undefined;
}

/**
 * May the signed-in person do this? With a record, whose owner decides; without, something new of the own organisation.
 * `slotOf` is the organisation whose column, line or row it is in somebody else's record. The server decides again.
 * The past can only be read.
 */
export function may(
  identity: Identity | null,
  resource: string,
  action: "read" | "create" | "update" | "delete" | "transit" | "confirm",
  record?: { owner_org_id: string; slotOf?: string | null },
): boolean {
  if (!identity || (action !== "read" && pastMoment() !== undefined)) return false;
  const own = record === undefined || record.owner_org_id === identity.organization_id;
  const slot = !own && record.slotOf !== undefined && record.slotOf === identity.organization_id;
  return identity.permissions.includes(`${resource}:${action}:${own ? "own" : slot ? "slot" : "seen"}`);
}

/** A confirmed or published sheet is changed only after it was unlocked; what grows below it every year stays open. */
export const isLocked = ({ status }: { status: string }) => status === "confirmed" || status === "published";

/** May the sheet itself (platform, plan, project, definition of a KPI) be changed now? */
export const mayEdit = (identity: Identity | null, resource: string, sheet: { owner_org_id: string; status: string }) => !isLocked(sheet) && may(identity, resource, "update", sheet);
