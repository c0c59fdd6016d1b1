export { $api, client, etagOf, writeHeaders } from "./client";
export { ApiError, fieldErrors, isApiError, problemMessage, textConflict, type FieldProblem, type Problem } from "./problem";
export {
  currentIdentity,
  ensureSession,
  signIn,
  signOut,
  subscribeToSession,
  useIdentity,
  type Identity,
} from "./session";
export type { components, paths } from "./schema.gen";
