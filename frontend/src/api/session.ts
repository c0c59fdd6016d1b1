/**
 * Who is signed in. The access token lives only in this module's memory: never in storage, never
 * in the address. The refresh token is an HttpOnly cookie that this code cannot see.
 */
import { useSyncExternalStore } from "react";
import { claimDrafts } from "../lib/drafts";
import { isApiError, networkError, toApiError } from "./problem";

/** The answer of `GET /api/v1/me`. */
export interface Identity {
  id: string;
  name: string | null;
  organization_id: string | null;
  organization_name: string | null;
  organization_kind: string | null;
  role: string;
  /** resource:action:relation */
  permissions: string[];
  /** The server runs on demonstration data. */
  demo: boolean;
}

interface Session {
  token: string;
  identity: Identity;
}

let session: Session | null = null;
const listeners = new Set<() => void>();

/** Tells the other tabs of this browser that somebody signed out here. */
const tabs = typeof BroadcastChannel === "undefined" ? null : new BroadcastChannel("tsunagi-session");
if (tabs) tabs.onmessage = () => setSession(null);

function setSession(next: Session | null) {
  session = next;
  for (const listener of listeners) listener();
}

export const accessToken = () => session?.token;
export const currentIdentity = () => session?.identity ?? null;

export function subscribeToSession(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function useIdentity(): Identity | null {
  return useSyncExternalStore(subscribeToSession, currentIdentity);
}

async function ask(path: string, init: RequestInit): Promise<Response> {
  const response = await fetch(`/api/v1/${path}`, init).catch(() => Promise.reject(networkError()));
  if (!response.ok) throw await toApiError(response);
  return response;
}

/** The cookie routes refuse what a foreign page could send: a form's content type, no custom header. */
const post = (path: string, body: unknown) =>
  ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Requested-By": "tsunagi" },
    body: JSON.stringify(body),
  });

/** With each new token comes a fresh identity: role, organisation or person may have changed. */
async function take(response: Response) {
  const { access_token: token } = (await response.json()) as { access_token: string };
  const me = await ask("me", { headers: { Authorization: `Bearer ${token}` } });
  const identity = (await me.json()) as Identity;
  claimDrafts(identity.id);
  setSession({ token, identity });
}

export async function signIn(email: string, password: string): Promise<void> {
  await take(await post("auth/sign-in", { email, password }));
}

export async function signOut(): Promise<void> {
  await post("auth/sign-out", {});
  setSession(null);
  tabs?.postMessage("signed-out");
}

let refreshing: Promise<boolean> | null = null;

/**
 * Gets a new access token through the refresh cookie. One call at a time in this tab, and one tab
 * at a time (Web Locks): the cookie rotates at each use, and two racing tabs would look like a
 * stolen token. False when nobody is signed in; a network failure throws and signs nobody out.
 */
export function refreshSession(): Promise<boolean> {
  refreshing ??= withLock(async () => {
    try {
      await take(await post("auth/refresh", {}));
      return true;
    } catch (error) {
      if (isApiError(error) && (error.status === 401 || error.status === 403)) {
        setSession(null);
        return false;
      }
      throw error;
    }
  }).finally(() => {
    refreshing = null;
  });
  return refreshing;
}

/** Browsers offer Web Locks on https and loopback only; the sign-in page tells about other origins. */
async function withLock<T>(work: () => Promise<T>): Promise<T> {
  const locks: LockManager | undefined = navigator.locks;
  return locks ? await locks.request("tsunagi-refresh", work) : await work();
}

/** True when a session exists or could be restored from the cookie. */
export async function ensureSession(): Promise<boolean> {
  return session !== null || (await refreshSession());
}
