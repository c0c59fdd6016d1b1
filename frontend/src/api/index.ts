export { $api, client, etagOf, writeHeaders } from "./client";
export { findMunicipalities, findOrganizations, municipalityLabel } from "./find";
export { everyPage, useEveryPage, usePages } from "./lists";
export { ApiError, fieldErrors, isApiError, problemMessage, textConflict, type FieldProblem, type Problem } from "./problem";
export { administers, isLocked, may, mayEdit } from "./rights";
export {
  currentIdentity,
  ensureSession,
  signIn,
  signOut,
  subscribeToSession,
  useIdentity,
  type Identity,
} from "./session";
export { newerRecord, patchRecord, useWrite } from "./write";
export type { components, paths } from "./schema.gen";
