// @node-oauth/oauth2-server, with one person: `node node_oauth2_server.mjs [--access-seconds N]`.
//
// It listens on a free loopback port, prints `listening on URL`, and serves until it is ended; it keeps all in memory. The
// token endpoint is URL/token. It has no revocation of its own.
//
// Clients: TestApp, which is public; TestClient with the secret TestSecret, Basic or in the form. Grants: a password
// (bshaffer, brent123) and refresh tokens. Every refresh rotates: the refresh token that was used is forgotten, as if it
// had never been, and nothing else happens when it comes again.

import { once } from "node:events";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

import OAuth2Server from "@node-oauth/oauth2-server";

const USER = { username: "bshaffer", password: "brent123" };
const GRANTS = ["password", "refresh_token"];
const clients = [
  { id: "TestApp", grants: GRANTS },
  { id: "TestClient", secret: "TestSecret", grants: GRANTS },
];

const { values: options } = parseArgs({ options: { "access-seconds": { type: "string", default: "3600" } } });

const refreshTokens = new Map();
const oauth = new OAuth2Server({
  accessTokenLifetime: Number(options["access-seconds"]),
  refreshTokenLifetime: 86400,
  alwaysIssueNewRefreshToken: true,
  requireClientAuthentication: { password: false, refresh_token: false },
  model: {
    // Whoever sends no secret is believed if the client has none.
    getClient: (id, secret) => clients.find((client) => client.id === id && client.secret === (secret ?? undefined)),
    getUser: (username, password) => username === USER.username && password === USER.password && { id: username },
    saveToken(token, client, user) {
      const kept = { ...token, client, user };
      refreshTokens.set(token.refreshToken, kept);
      return kept;
    },
    getRefreshToken: (refreshToken) => refreshTokens.get(refreshToken),
    // Of two uses of one refresh token at once the second finds nothing to remove, and is refused.
    revokeToken: (token) => refreshTokens.delete(token.refreshToken),
    getAccessToken: () => undefined,
  },
});

async function answer(request, response) {
  if (request.method !== "POST" || request.url !== "/token") {
    response.writeHead(404).end();
    return;
  }
  const body = Buffer.concat(await request.toArray()).toString();
  const form = Object.fromEntries(new URLSearchParams(body));
  const { headers, method } = request;
  const answered = new OAuth2Server.Response({});
  // What it throws it has written into the answer before.
  await oauth.token(new OAuth2Server.Request({ body: form, headers, method, query: {} }), answered).catch(() => {});
  response.writeHead(answered.status, { ...answered.headers, "content-type": "application/json" });
  response.end(JSON.stringify(answered.body));
}

const server = createServer(answer);
server.listen(0, "127.0.0.1");
await once(server, "listening");
console.log(`listening on http://127.0.0.1:${server.address().port}`);
