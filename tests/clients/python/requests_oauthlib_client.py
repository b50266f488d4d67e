"""requests-oauthlib logs a user in, as a public client. Usage: python requests_oauthlib_client.py ISSUER"""

import os
import sys
from urllib.parse import parse_qs, urlsplit

import requests
from oauthlib.oauth2 import InvalidGrantError, WebApplicationClient
from requests_oauthlib import OAuth2Session

from browser import Browser

ISSUER = sys.argv[1]
REDIRECT_URI = "http://127.0.0.1:49152/callback"
SCOPE = ["openid", "profile", "email", "offline_access"]
USER = {"username": "bshaffer", "password": "brent123", "action": "login", "decision": "allow"}

# oauthlib wants https, but for this.
os.environ["OAUTHLIB_INSECURE_TRANSPORT"] = "1"


def check(what, actual, expected):
    if actual != expected:
        sys.exit(f"{what} is {actual!r}, and not {expected!r}")


server = requests.get(f"{ISSUER}/.well-known/openid-configuration").json()
token_endpoint = server["token_endpoint"]

kept = []
client = WebApplicationClient("TestApp")
session = OAuth2Session(
    client=client,
    scope=SCOPE,
    redirect_uri=REDIRECT_URI,
    pkce="S256",
    auto_refresh_url=token_endpoint,
    auto_refresh_kwargs={"client_id": "TestApp"},
    token_updater=kept.append,
)
# OpenID Connect Core §11: consent is asked for, so that offline_access can be given.
authorization, state = session.authorization_url(server["authorization_endpoint"], prompt="consent")
callback = Browser().visit(authorization, REDIRECT_URI, USER)
check("state", parse_qs(urlsplit(callback).query)["state"], [state])
print("log in: the browser came back with a code")

tokens = session.fetch_token(token_endpoint, authorization_response=callback, include_client_id=True)
check("the scope", set(tokens.scopes), set(SCOPE))
print("redeem: a pair")

# It refreshes by itself what has ended.
session.token = {**tokens, "expires_at": 1}
userinfo = session.get(server["userinfo_endpoint"]).json()
check("email_verified", userinfo["email_verified"], True)
rotated = kept.pop()
if rotated["refresh_token"] == tokens["refresh_token"]:
    sys.exit("the refresh token was not rotated")
print("refresh: a new pair, with which userinfo answers")

retried = session.refresh_token(token_endpoint, tokens["refresh_token"], client_id="TestApp")
check("the successor", retried["refresh_token"], rotated["refresh_token"])
print("retry: the same refresh token again has the same successor")

url, headers, body = client.prepare_token_revocation_request(
    server["revocation_endpoint"], rotated["refresh_token"], "refresh_token", client_id="TestApp"
)
check("the status", requests.post(url, body, headers=headers).status_code, 200)
try:
    session.refresh_token(token_endpoint, rotated["refresh_token"], client_id="TestApp")
except InvalidGrantError:
    print("revoke: the session has ended")
else:
    sys.exit("a refresh token that was revoked was accepted")
