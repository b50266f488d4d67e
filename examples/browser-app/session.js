// The tokens of the user who is logged in: shared by all tabs of this app, and kept fresh.
//
// One record has everything, so that it changes as a whole. Only who holds the lock changes it, and reads it again
// before it does. The refresh keeps the retry rule of regrant (docs/retry-rule.md), so that no lost answer, closed tab
// or crash logs the user out; with other servers it works as far as they do.

import { challengeOf, randomText } from "./challenge.js";
import * as record from "./record.js";
import { NoAnswer, Refused, requestTokens, revoke, send } from "./server.js";

const LOCK = "session";

/** An access token is replaced when it has this long to live, or half its life if that is shorter. */
const MARGIN_MS = 60_000;
/** An unanswered try may still be on its way for this long. */
const QUIET_MS = 20_000;
/** The pauses between the tries of one refresh. After the last, the next call goes on with the same refresh. */
const PAUSES_MS = [500, 1_000, 2_000, 4_000, 8_000];
/** Who asks for more time than this gets it from the next call. */
const RETRY_AFTER_MAX_MS = 30_000;

/** The session, or null when nobody is logged in: `subject`, `accessToken`, `idToken`, and what is used here only. */
export const current = record.read;
/** Calls its argument when another tab has changed the session. */
export const onChange = record.onChange;

/** Stores the tokens of a user who has just logged in. */
export function begin(tokens, subject) {
  return alone(() => store(tokens, { subject, quietUntil: 0 }));
}

/** `fetch` with the user's access token, which is replaced when it is no longer good; null when nobody is logged in. */
export async function authorizedFetch(url) {
  const session = await current();
  let token = isFresh(session) ? session.accessToken : await refresh(session?.accessToken);
  let response = await fetchWith(token, url);
  if (response?.status === 401) {
    token = await refresh(token);
    response = await fetchWith(token, url);
  }
  return response;
}

/**
 * Replaces the access token `stale`, unless another tab has done so already. Returns the one that is good now; null
 * when nobody is logged in any more.
 */
export function refresh(stale) {
  return alone(async () => {
    const session = await current();
    if (session === null) return null;
    if (session.accessToken !== stale && isFresh(session)) {
      tell("another tab has refreshed");
      return session.accessToken;
    }
    return rotate(session);
  });
}

/** Ends the session here and at the server. Returns its ID token; null when nobody was logged in. */
export function end() {
  return alone(async () => {
    const session = await current();
    if (session === null) return null;
    try {
      await revoke(session.refreshToken);
    } catch (error) {
      if (!(error instanceof NoAnswer)) throw error;
      tell("the server did not answer; end this app's access on your account page");
    } finally {
      await record.remove();
    }
    return session.idToken;
  });
}

/**
 * Sends the refresh token until an answer comes: the same one, since the first try may have been decided. A try that
 * comes too late for that is refused and ends nothing, because the verifier shows who sends it.
 */
async function rotate(session) {
  const quietMs = Math.min(session.quietUntil - Date.now(), QUIET_MS);
  if (quietMs > 0) {
    tell("an earlier try may still be on its way; waiting for it");
    await pause(quietMs);
  }
  for (const pauseMs of [...PAUSES_MS, undefined]) {
    // The last try that nobody has an answer to; a tab that is gone may have sent it.
    const { triedAt, verifier } = session;
    const proof = { retry_challenge: await challengeOf(verifier) };
    if (triedAt !== undefined) proof.retry_verifier = verifier;
    // On disk before it is sent: whoever comes after us must know that this may have been decided.
    session = await record.write({ ...session, triedAt: Date.now() });
    try {
      const tokens = await requestTokens({
        grant_type: "refresh_token",
        refresh_token: session.refreshToken,
        ...proof,
      });
      const quietUntil = triedAt === undefined ? 0 : triedAt + QUIET_MS;
      const { accessToken } = await store(tokens, { ...session, quietUntil });
      tell("refreshed");
      return accessToken;
    } catch (error) {
      if (error instanceof Refused && error.code === "invalid_grant") {
        await forget(session.refreshToken);
        tell(`the session has ended (${error.message})`);
        return null;
      }
      const isWorthAnotherTry = error instanceof NoAnswer && error.retryAfterMs <= RETRY_AFTER_MAX_MS;
      if (!isWorthAnotherTry || pauseMs === undefined) throw error;
      tell("no answer; sending the same refresh token again");
      await pause(Math.max(pauseMs, error.retryAfterMs));
    }
  }
}

/** Stores an answer of the token endpoint, with a new verifier for the refresh that will follow it. */
function store(tokens, { subject, quietUntil, refreshToken, idToken }) {
  const lifetimeMs = (tokens.expires_in ?? Infinity) * 1000;
  return record.write({
    subject,
    idToken: tokens.id_token ?? idToken,
    accessToken: tokens.access_token,
    freshUntil: Date.now() + lifetimeMs - Math.min(MARGIN_MS, lifetimeMs / 2),
    refreshToken: tokens.refresh_token ?? refreshToken,
    verifier: randomText(),
    quietUntil,
  });
}

/** Removes the session that had this refresh token, and no other that has taken its place. */
async function forget(refreshToken) {
  if ((await current())?.refreshToken === refreshToken) await record.remove();
}

function isFresh(session) {
  return session !== null && Date.now() < session.freshUntil;
}

async function fetchWith(token, url) {
  return token === null ? null : send(url, { headers: { Authorization: `Bearer ${token}` } });
}

/**
 * Runs `action` in one tab at a time. Where a browser has no locks, two tabs may send the same refresh token at once:
 * they have the same verifier, so the second is a retry of the first.
 */
function alone(action) {
  return navigator.locks === undefined ? action() : navigator.locks.request(LOCK, action);
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Says what happened; app.js shows it. */
function tell(what) {
  dispatchEvent(new CustomEvent("session", { detail: what }));
}
