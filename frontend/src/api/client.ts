/** The typed client of the API. Every failed call throws an `ApiError`. */
import createFetchClient from "openapi-fetch";
import createQueryClient from "openapi-react-query";
import { pastMoment } from "../lib/past";
import { networkError, toApiError } from "./problem";
import type { paths } from "./schema.gen";
import { accessToken, refreshSession } from "./session";

function send(request: Request): Promise<Response> {
  const token = accessToken();
  if (token) request.headers.set("Authorization", `Bearer ${token}`);
  return fetch(request).catch((error: unknown) => {
    // React Query aborts requests nobody waits for any more; that is no failure of the network.
    throw request.signal.aborted ? error : networkError();
  });
}

/** Access tokens live ten minutes: a 401 asks for a new one once and repeats the same request. */
async function authorizedFetch(request: Request): Promise<Response> {
  const again = request.clone();
  const response = await send(request);
  if (response.status === 401 && (await refreshSession())) return send(again);
  return response;
}

export const client = createFetchClient<paths>({ baseUrl: globalThis.location?.origin ?? "", fetch: authorizedFetch });

client.use({
  // While a screen shows the past, everything it reads is of that moment.
  onRequest({ request }) {
    const moment = pastMoment();
    if (moment === undefined || request.method !== "GET") return undefined;
    const url = new URL(request.url);
    url.searchParams.set("as_of", moment);
    return new Request(url, request);
  },
  async onResponse({ response }) {
    if (!response.ok) throw await toApiError(response);
  },
});

/** React Query hooks by method and path: `$api.useQuery("get", "/api/v1/kpis/{id}", { params })`. */
export const $api = createQueryClient(client);

/** The ETag of a record whose `version` came inside a list or a body. */
export const etagOf = (version: number) => `"v${version}"`;

/**
 * Headers of a write: `params: { path, header: writeHeaders(etagOf(kpi.version)) }`. Make them once
 * per intention of the user: a retry that sends the same headers cannot act twice. Creation has no
 * ETag.
 */
export function writeHeaders(): { "Idempotency-Key": string };
export function writeHeaders(etag: string): { "Idempotency-Key": string; "If-Match": string };
export function writeHeaders(etag?: string): { "Idempotency-Key": string; "If-Match"?: string } {
  const key = { "Idempotency-Key": crypto.randomUUID() };
  return etag === undefined ? key : { ...key, "If-Match": etag };
}
