/**
 * Who is signed in. The access token lives only in this module's memory: never in storage, never
 * in the address. The refresh token is an HttpOnly cookie that this code cannot see.
 */
import { useSyncExternalStore } from "react";
import { claimDrafts } from "../lib/drafts";
import { isApiError, networkError, toApiError } from "./problem";

export interface Identity {
  user: { id: string; name: string };
  organization: { id: string; name: string; kind: string };
  role: string;
  /** The server runs on demonstration data. */
  demo_mode?: boolean;
}

interface SignInAnswer extends Identity {
  access_token: string;
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

/** The cookie routes refuse what a foreign page could send: a form's content type, no custom header. */
async function post(path: string, body: unknown): Promise<Response> {
  const response = await fetch(`/api/v1/auth/${path}`, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Requested-By": "tsunagi" },
    body: JSON.stringify(body),
  }).catch(() => Promise.reject(networkError()));
  if (!response.ok) throw await toApiError(response);
  return response;
}

async function take(response: Response) {
  const { access_token, ...identity } = (await response.json()) as SignInAnswer;
  claimDrafts(identity.user.id);
  setSession({ token: access_token, identity });
}

export async function signIn(email: string, password: string): Promise<void> {
  await take(await post("sign-in", { email, password }));
}

export async function signOut(): Promise<void> {
  await post("sign-out", {});
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
      await take(await post("refresh", {}));
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
