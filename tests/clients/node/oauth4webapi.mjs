// oauth4webapi logs a user in, as a public client. Usage: node oauth4webapi.mjs ISSUER

import "./web_crypto.mjs";
import assert from "node:assert/strict";
import * as oauth from "oauth4webapi";
import { Browser } from "./browser.mjs";

const issuer = new URL(process.argv[2]);
const redirectUri = "http://127.0.0.1:49152/callback";
const scope = "openid profile email offline_access";
const user = { username: "bshaffer", password: "brent123", action: "login", decision: "allow" };
const client = { client_id: "TestApp" };
const authentication = oauth.None();
const loopback = { [oauth.allowInsecureRequests]: true };

const server = await oauth.processDiscoveryResponse(issuer, await oauth.discoveryRequest(issuer, loopback));
assert.ok(server.code_challenge_methods_supported.includes("S256"));
assert.equal(server.authorization_response_iss_parameter_supported, true);
console.log("discovery: the issuer is the one that was asked for");

const browser = new Browser();
const codeVerifier = oauth.generateRandomCodeVerifier();
const state = oauth.generateRandomState();
const nonce = oauth.generateRandomNonce();
const authorization = new URL(server.authorization_endpoint);
authorization.search = new URLSearchParams({
  response_type: "code",
  client_id: client.client_id,
  redirect_uri: redirectUri,
  scope,
  prompt: "consent", // OpenID Connect Core §11, for offline_access
  code_challenge: await oauth.calculatePKCECodeChallenge(codeVerifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const callback = await browser.visit(authorization, redirectUri, user);
const code = oauth.validateAuthResponse(server, client, callback, state);
console.log("log in: the browser came back with a code");

const redeemed = await oauth.authorizationCodeGrantRequest(
  server, client, authentication, code, redirectUri, codeVerifier, loopback,
);
const tokens = await oauth.processAuthorizationCodeResponse(server, client, redeemed, {
  expectedNonce: nonce,
  requireIdToken: true,
});
await oauth.validateApplicationLevelSignature(server, redeemed, loopback);
assert.equal(tokens.scope, scope);
const { sub, aud } = oauth.getValidatedIdTokenClaims(tokens);
assert.equal(aud, client.client_id);
console.log("redeem: the ID token has the right signature, issuer, audience and nonce");

const userinfo = await oauth.processUserInfoResponse(
  server, client, sub, await oauth.userInfoRequest(server, client, tokens.access_token, loopback),
);
assert.equal(userinfo.email_verified, true);
console.log("userinfo: the same user");

async function refresh(token, parameters) {
  const options = { ...loopback, additionalParameters: parameters };
  const response = await oauth.refreshTokenGrantRequest(server, client, authentication, token, options);
  return oauth.processRefreshTokenResponse(server, client, response);
}
const verifier = oauth.generateRandomCodeVerifier();
const challenge = await oauth.calculatePKCECodeChallenge(verifier);
const rotated = await refresh(tokens.refresh_token, { retry_challenge: challenge });
assert.notEqual(rotated.refresh_token, tokens.refresh_token);
console.log("refresh: a new pair");

const retried = await refresh(tokens.refresh_token, { retry_challenge: challenge, retry_verifier: verifier });
assert.equal(retried.refresh_token, rotated.refresh_token);
console.log("retry: the same refresh token again, with the verifier, has the same successor");

const ended = await oauth.revocationRequest(server, client, authentication, rotated.refresh_token, loopback);
await oauth.processRevocationResponse(ended);
await assert.rejects(refresh(rotated.refresh_token, {}), { error: "invalid_grant" });
console.log("revoke: the grant has ended");

const logOut = new URL(server.end_session_endpoint);
logOut.search = new URLSearchParams({ id_token_hint: tokens.id_token, post_logout_redirect_uri: redirectUri });
await browser.visit(logOut, redirectUri, { decision: "log-out" });
authorization.searchParams.set("prompt", "none");
const refused = await browser.visit(authorization, redirectUri, {});
assert.equal(refused.searchParams.get("error"), "login_required");
console.log("log out: the browser came back, and nobody is logged in");
