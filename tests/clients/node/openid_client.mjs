// openid-client logs a user in, as a confidential client. Usage: node openid_client.mjs ISSUER

import "./web_crypto.mjs";
import assert from "node:assert/strict";
import * as client from "openid-client";
import { Browser } from "./browser.mjs";

const issuer = process.argv[2];
const redirectUri = "http://127.0.0.1:49152/callback";
const scope = "openid profile email offline_access";
const user = { username: "bshaffer", password: "brent123", action: "login", decision: "allow" };

const config = await client.discovery(
  new URL(issuer),
  "TestClient",
  undefined,
  client.ClientSecretBasic("TestSecret"),
  { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] },
);
assert.equal(config.serverMetadata().issuer, issuer);
console.log("discovery: the issuer is the one that was asked for");

const browser = new Browser();
const codeVerifier = client.randomPKCECodeVerifier();
const state = client.randomState();
const nonce = client.randomNonce();
const authorization = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope,
  prompt: "consent", // OpenID Connect Core §11, for offline_access
  code_challenge: await client.calculatePKCECodeChallenge(codeVerifier),
  code_challenge_method: "S256",
  state,
  nonce,
});
const callback = await browser.visit(authorization, redirectUri, user);
assert.equal(callback.searchParams.get("iss"), issuer);
console.log("log in: the browser came back with a code");

const expected = { pkceCodeVerifier: codeVerifier, expectedState: state, expectedNonce: nonce, idTokenExpected: true };
const tokens = await client.authorizationCodeGrant(config, callback, expected);
assert.equal(tokens.token_type, "bearer");
assert.equal(tokens.scope, scope);
assert.equal(typeof tokens.refresh_token, "string");
const { sub, aud, auth_time } = tokens.claims();
assert.equal(aud, "TestClient");
assert.equal(typeof auth_time, "number");
console.log("redeem: the ID token has the right signature, issuer, audience and nonce");

const userinfo = await client.fetchUserInfo(config, tokens.access_token, sub);
assert.equal(userinfo.email_verified, true);
assert.match(userinfo.email, /@/);
assert.notEqual(userinfo.name, undefined);
console.log("userinfo: the same user, with a name and an e-mail address");

const rotated = await client.refreshTokenGrant(config, tokens.refresh_token);
assert.notEqual(rotated.refresh_token, tokens.refresh_token);
await client.fetchUserInfo(config, rotated.access_token, sub);
console.log("refresh: a new pair, and its access token is good");

const retried = await client.refreshTokenGrant(config, tokens.refresh_token);
assert.equal(retried.refresh_token, rotated.refresh_token);
console.log("retry: the same refresh token again has the same successor");

const logOut = client.buildEndSessionUrl(config, {
  id_token_hint: tokens.id_token,
  post_logout_redirect_uri: redirectUri,
  state: "logged-out",
});
const loggedOut = await browser.visit(logOut, redirectUri, { decision: "log-out" });
assert.equal(loggedOut.searchParams.get("state"), "logged-out");
const silent = new URL(authorization);
silent.searchParams.set("prompt", "none");
const refused = await browser.visit(silent, redirectUri, {});
assert.equal(refused.searchParams.get("error"), "login_required");
console.log("log out: the browser came back, and nobody is logged in");
