"""Authlib logs a user in, as a confidential client. Usage: python authlib_client.py ISSUER"""

import os
import sys
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.jwk import KeySet

from browser import Browser

ISSUER = sys.argv[1]
REDIRECT_URI = "http://127.0.0.1:49152/callback"
SCOPE = "openid profile email offline_access"
USER = {"username": "bshaffer", "password": "brent123", "action": "login", "decision": "allow"}

# Authlib wants https, but for this.
os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"


def check(what, actual, expected):
    if actual != expected:
        sys.exit(f"{what} is {actual!r}, and not {expected!r}")


def query(url):
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def validated(id_token, **params):
    """The claims of an ID token, after signature and claims were checked (OpenID Connect Core §3.1.3.7)."""
    keys = KeySet.import_key_set(requests.get(server["jwks_uri"]).json())
    token = jwt.decode(id_token, keys, algorithms=["RS256"])
    options = {
        "iss": {"essential": True, "value": ISSUER},
        "aud": {"essential": True, "value": "TestClient"},
    }
    claims = CodeIDToken(token.claims, token.header, options, {"client_id": "TestClient", **params})
    claims.validate()
    return claims


server = requests.get(f"{ISSUER}/.well-known/openid-configuration").json()
check("the issuer", server["issuer"], ISSUER)
print("discovery: the issuer is the one that was asked for")

client = OAuth2Session(
    "TestClient", "TestSecret", scope=SCOPE, redirect_uri=REDIRECT_URI, code_challenge_method="S256"
)
browser = Browser()
code_verifier = generate_token(48)
nonce = generate_token(32)
# OpenID Connect Core §11: consent is asked for, so that offline_access can be given.
authorization, state = client.create_authorization_url(
    server["authorization_endpoint"], code_verifier=code_verifier, nonce=nonce, prompt="consent"
)
callback = browser.visit(authorization, REDIRECT_URI, USER)
check("iss", query(callback)["iss"], ISSUER)
print("log in: the browser came back with a code")

tokens = client.fetch_token(
    server["token_endpoint"], authorization_response=callback, state=state, code_verifier=code_verifier
)
check("the scope", tokens["scope"], SCOPE)
claims = validated(tokens["id_token"], nonce=nonce, access_token=tokens["access_token"])
check("the nonce", claims["nonce"], nonce)
print("redeem: the ID token has the right signature, issuer, audience, nonce and at_hash")

userinfo = client.get(server["userinfo_endpoint"]).json()
check("sub", userinfo["sub"], claims["sub"])
check("email_verified", userinfo["email_verified"], True)
print("userinfo: the same user")

rotated = client.refresh_token(server["token_endpoint"], tokens["refresh_token"])
if rotated["refresh_token"] == tokens["refresh_token"]:
    sys.exit("the refresh token was not rotated")
# Authlib names its scope at each refresh, and `openid` in it asks for an ID token.
check("sub", validated(rotated["id_token"])["sub"], claims["sub"])
print("refresh: a new pair, and an ID token of the same user")

retried = client.refresh_token(server["token_endpoint"], tokens["refresh_token"])
check("the successor", retried["refresh_token"], rotated["refresh_token"])
print("retry: the same refresh token again has the same successor")

parameters = {"id_token_hint": tokens["id_token"], "post_logout_redirect_uri": REDIRECT_URI, "state": "logged-out"}
log_out = f"{server['end_session_endpoint']}?{urlencode(parameters)}"
logged_out = browser.visit(log_out, REDIRECT_URI, {"decision": "log-out"})
check("state", query(logged_out)["state"], "logged-out")
refused = browser.visit(authorization.replace("prompt=consent", "prompt=none"), REDIRECT_URI, {})
check("error", query(refused)["error"], "login_required")
print("log out: the browser came back, and nobody is logged in")
