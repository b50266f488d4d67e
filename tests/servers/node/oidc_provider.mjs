// oidc-provider, with one person who always says yes: `node oidc_provider.mjs [OPTION…]`.
//
// It listens on a free loopback port, prints `listening on URL`, and serves until it is ended; it keeps all in memory.
// URL is the issuer, with metadata below /.well-known/openid-configuration, and the token endpoint is URL/token.
//
//   --access-seconds N   how long an access token lives (3600)
//   --client-jwks JSON   the public keys of the client TestKeys, which is registered only then
//   --nonce              DPoP proofs need a nonce of the server (RFC 9449 §8)
//
// Clients: TestApp, which is public and may use any loopback port; TestClient with the secret TestSecret, Basic or not
// as it likes; TestPost with the same secret in the form; TestKeys (private_key_jwt, ES256 or EdDSA).
//
// Grants: an authorization code, for which the browser is only sent around, but keeps cookies; a device code, which
// `POST /approve` with the form user_code=… says yes to; a password (bshaffer, brent123), which oidc-provider has not by
// itself; and the clients' own credentials. Any absolute URI is a resource: the default ones have opaque tokens, others
// JWTs. Every refresh rotates, and a refresh token that is used twice ends its grant.

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";
import { parseArgs } from "node:util";

import Provider, { errors } from "oidc-provider";

const USER = { username: "bshaffer", password: "brent123" };
const SCOPES = "openid profile email offline_access read write";

const { values: options } = parseArgs({
  options: {
    "access-seconds": { type: "string", default: "3600" },
    "client-jwks": { type: "string" },
    nonce: { type: "boolean", default: false },
  },
});
const accessSeconds = Number(options["access-seconds"]);

const DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code";
const ofPerson = {
  grant_types: ["authorization_code", "refresh_token", "password", DEVICE_CODE],
  redirect_uris: ["http://127.0.0.1/callback"],
  application_type: "native",
  scope: SCOPES,
};
const confidential = {
  ...ofPerson,
  grant_types: [...ofPerson.grant_types, "client_credentials"],
  client_secret: "TestSecret",
};
const clients = [
  { ...ofPerson, client_id: "TestApp", token_endpoint_auth_method: "none" },
  { ...confidential, client_id: "TestClient", token_endpoint_auth_method: "client_secret_basic" },
  { ...confidential, client_id: "TestPost", token_endpoint_auth_method: "client_secret_post" },
];
if (options["client-jwks"]) {
  const { client_secret: _, ...keyed } = confidential;
  const jwks = JSON.parse(options["client-jwks"]);
  clients.push({ ...keyed, client_id: "TestKeys", token_endpoint_auth_method: "private_key_jwt", jwks });
}

const server = createServer();
server.listen(0, "127.0.0.1");
await once(server, "listening");
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  clients,
  clientAuthMethods: ["none", "client_secret_basic", "client_secret_post", "private_key_jwt"],
  enabledJWA: { clientAuthSigningAlgValues: ["ES256", "Ed25519", "EdDSA", "RS256"] },
  cookies: { keys: [randomBytes(32).toString("hex")] },
  scopes: SCOPES.split(" "),
  findAccount: (_, accountId) => ({ accountId, claims: () => ({ sub: accountId }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  issueRefreshToken: (_, client) => client.grantTypeAllowed("refresh_token"),
  rotateRefreshToken: true,
  ttl: {
    AccessToken: accessSeconds,
    ClientCredentials: accessSeconds,
    DeviceCode: 600,
    Grant: 86400,
    IdToken: 3600,
    Interaction: 600,
    RefreshToken: 86400,
    Session: 86400,
  },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    deviceFlow: { enabled: true },
    dPoP: { enabled: true, nonceSecret: randomBytes(32), requireNonce: () => options.nonce },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: () => undefined,
      getResourceServerInfo: (_, resource) => ({
        scope: SCOPES,
        audience: resource,
        accessTokenTTL: accessSeconds,
        accessTokenFormat: "jwt",
      }),
      useGrantedResource: () => true,
    },
    revocation: { enabled: true },
  },
});

/** What the person has agreed to: all that was asked for. */
async function grantFor(clientId, scope, resources) {
  const grant = new provider.Grant({ accountId: USER.username, clientId });
  grant.addOIDCScope(scope);
  for (const resource of resources) grant.addResourceScope(resource, scope);
  return grant.save();
}

const list = (value) => [value ?? []].flat();

/** The pages: whoever comes is logged in, and agrees. */
provider.use(async (ctx, next) => {
  if (ctx.path.startsWith("/interaction/")) {
    const { params } = await provider.interactionDetails(ctx.req, ctx.res);
    const grantId = await grantFor(params.client_id, params.scope ?? "", list(params.resource));
    const result = { login: { accountId: USER.username }, consent: { grantId } };
    ctx.respond = false;
    return provider.interactionFinished(ctx.req, ctx.res, result);
  }
  if (ctx.path === "/approve" && ctx.method === "POST") {
    const chunks = await ctx.req.toArray();
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    // As it is stored: without the dash that people read.
    const code = await provider.DeviceCode.findByUserCode(form.get("user_code").replaceAll("-", "").toUpperCase());
    ctx.assert(code, 404, "no such user code");
    const { scope = "", resource } = code.params;
    const grantId = await grantFor(code.clientId, scope, list(resource));
    const authTime = Math.floor(Date.now() / 1000);
    Object.assign(code, { accountId: USER.username, authTime, grantId, resource, scope });
    await code.save();
    ctx.status = 204;
    return undefined;
  }
  return next();
});

async function passwordGrant(ctx) {
  const { client, params } = ctx.oidc;
  if (params.username !== USER.username || params.password !== USER.password) {
    throw new errors.InvalidGrant("wrong user name or password");
  }
  const scope = params.scope ?? "openid offline_access";
  const grantId = await grantFor(client.clientId, scope, []);
  const common = { accountId: USER.username, client, grantId, gty: "password", scope };
  const refreshToken = new provider.RefreshToken(common);
  const accessToken = new provider.AccessToken(common);
  ctx.body = {
    access_token: await accessToken.save(),
    expires_in: accessToken.expiration,
    refresh_token: await refreshToken.save(),
    scope,
    token_type: "Bearer",
  };
}
provider.registerGrantType("password", passwordGrant, ["username", "password", "scope"]);

server.on("request", provider.callback());
console.log(`listening on ${issuer}`);
