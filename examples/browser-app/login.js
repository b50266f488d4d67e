// Logging in with the authorization code flow and PKCE (RFC 6749 §4.1, RFC 7636, OpenID Connect Core §3.1), and out.

import { challengeOf, randomText } from "./challenge.js";
import { CLIENT_ID, ISSUER, REDIRECT_URI, SCOPE, Refused, discover, requestTokens } from "./server.js";
import * as session from "./session.js";

/** What this tab remembers while the user is at the server. */
const ATTEMPT = "login";

/** Sends the browser to the server's login page. */
export async function logIn() {
  const { authorization_endpoint } = await discover();
  const attempt = { state: randomText(), nonce: randomText(), verifier: randomText() };
  sessionStorage.setItem(ATTEMPT, JSON.stringify(attempt));
  location.assign(`${authorization_endpoint}?${new URLSearchParams({
    response_type: "code",
    client_id: CLIENT_ID,
    redirect_uri: REDIRECT_URI,
    scope: SCOPE,
    state: attempt.state,
    nonce: attempt.nonce,
    code_challenge: await challengeOf(attempt.verifier),
    code_challenge_method: "S256",
  })}`);
}

/** Finishes the login if the server has just sent the browser back; throws if it failed. */
export async function finishLogIn() {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state")) return;
  // A code is good once: neither a reload nor a bookmark may send it again.
  history.replaceState(null, "", REDIRECT_URI);
  const attempt = JSON.parse(sessionStorage.getItem(ATTEMPT));
  sessionStorage.removeItem(ATTEMPT);
  if (answer.get("state") !== attempt?.state) throw new Error("this is not the answer to a login of this tab");
  // RFC 9207: an answer of another server must not be taken for one of ours.
  if (answer.get("iss") !== ISSUER) throw new Error("another server has answered");
  if (answer.has("error")) throw new Refused(answer.get("error"), answer.get("error_description") ?? undefined);

  const tokens = await requestTokens({
    grant_type: "authorization_code",
    code: answer.get("code"),
    redirect_uri: REDIRECT_URI,
    code_verifier: attempt.verifier,
  });
  await session.begin(tokens, subjectOf(tokens.id_token, attempt.nonce));
}

/** Ends the session of this app, and the user's login at the server (OpenID Connect RP-Initiated Logout). */
export async function logOut() {
  const { end_session_endpoint } = await discover();
  const idToken = await session.end();
  location.assign(`${end_session_endpoint}?${new URLSearchParams({
    client_id: CLIENT_ID,
    post_logout_redirect_uri: REDIRECT_URI,
    ...(idToken === null ? {} : { id_token_hint: idToken }),
  })}`);
}

/**
 * The user whom an ID token names. Its signature is not checked: it came from the token endpoint itself, over TLS
 * (OpenID Connect Core §3.1.3.7, step 6).
 */
function subjectOf(idToken, nonce) {
  const claims = JSON.parse(decodeBase64url(idToken.split(".")[1]));
  const isOurs =
    claims.iss === ISSUER && claims.aud === CLIENT_ID && claims.nonce === nonce && claims.exp * 1000 > Date.now();
  if (!isOurs) throw new Error("the ID token is not the answer to this login");
  return claims.sub;
}

function decodeBase64url(text) {
  const bytes = Uint8Array.from(atob(text.replaceAll("-", "+").replaceAll("_", "/")), (byte) => byte.charCodeAt(0));
  return new TextDecoder().decode(bytes);
}
