// The authorization server, and who this app is there.

/** Who answers. `connect-src` in index.html names the same origin. */
export const ISSUER = "http://127.0.0.1:8080";
export const CLIENT_ID = "TestApp";
export const SCOPE = "openid profile email";
/** Where the server sends the browser back to: this folder, without query and fragment. */
export const REDIRECT_URI = new URL(".", location.href).href;

/** How long an answer is waited for. Nothing between app and server may hold a request for longer. */
const ANSWER_TIMEOUT_MS = 10_000;

/** The server refused: `code` is the error of RFC 6749. */
export class Refused extends Error {
  constructor(code, description) {
    super(description === undefined ? code : `${code}: ${description}`);
    this.code = code;
  }
}

/** No answer came, or none that says what became of the request; the same may be sent again after `retryAfterMs`. */
export class NoAnswer extends Error {
  constructor(retryAfterMs = 0) {
    super("the server did not answer");
    this.retryAfterMs = retryAfterMs;
  }
}

let metadata;

/** What the server says about itself (OpenID Connect Discovery), fetched once per page. */
export async function discover() {
  if (metadata !== undefined) return metadata;
  const answer = await json(await send(`${ISSUER}/.well-known/openid-configuration`, {}));
  if (answer?.issuer !== ISSUER) throw new Error(`the server at ${ISSUER} does not say that it is the one`);
  metadata = answer;
  return metadata;
}

/** Sends a form to the token endpoint, and returns the tokens (RFC 6749 §5). */
export async function requestTokens(form) {
  const { token_endpoint } = await discover();
  const answer = await postForm(token_endpoint, form);
  if (typeof answer?.access_token !== "string") throw new NoAnswer();
  return answer;
}

/** Ends the grant of a refresh token (RFC 7009). */
export async function revoke(token) {
  const { revocation_endpoint } = await discover();
  await postForm(revocation_endpoint, { token });
}

/** The answer to a request, whatever its status. */
export async function send(url, options) {
  try {
    return await fetch(url, { ...options, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) });
  } catch {
    throw new NoAnswer();
  }
}

async function postForm(url, form) {
  const response = await send(url, { method: "POST", body: new URLSearchParams({ client_id: CLIENT_ID, ...form }) });
  const answer = await json(response);
  if (response.ok) return answer;
  // A status alone may come from a proxy; only an OAuth error is a decision, and this one says that there is none yet.
  if (typeof answer?.error !== "string" || answer.error === "temporarily_unavailable") {
    throw new NoAnswer((Number(response.headers.get("Retry-After")) || 0) * 1000);
  }
  throw new Refused(answer.error, answer.error_description);
}

/** The body as JSON; undefined if it is none. */
async function json(response) {
  try {
    return await response.json();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw new NoAnswer();
  }
}
