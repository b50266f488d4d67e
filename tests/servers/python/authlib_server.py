"""Authlib as a server, with one person: `python authlib_server.py [--access-seconds N]`.

It listens on a free loopback port, prints `listening on URL`, and serves until it is ended; it keeps all in memory. The
token endpoint is URL/token, and URL/revoke revokes (RFC 7009).

Clients: TestApp, which is public; TestClient with the secret TestSecret, Basic or in the form. Grants: a password
(bshaffer, brent123) and refresh tokens. Every refresh rotates. A refresh token that is used twice is refused; its
successor stays good.
"""

import argparse
import logging
import os
import threading
import time
from dataclasses import dataclass

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, TokenMixin, grants
from authlib.oauth2.rfc7009 import RevocationEndpoint
from flask import Flask
from werkzeug.serving import make_server

USERNAME, PASSWORD = "bshaffer", "brent123"
GRANT_TYPES = ["password", "refresh_token"]


@dataclass
class Client(ClientMixin):
    client_id: str
    secret: str | None

    def get_client_id(self):
        return self.client_id

    def get_allowed_scope(self, scope):
        return scope or ""

    def check_client_secret(self, client_secret):
        return client_secret == self.secret

    def check_endpoint_auth_method(self, method, endpoint):
        return (method == "none") == (self.secret is None)

    def check_grant_type(self, grant_type):
        return grant_type in GRANT_TYPES


@dataclass
class Token(TokenMixin):
    client_id: str
    access_token: str
    refresh_token: str
    scope: str
    issued_at: float
    expires_in: int
    is_revoked: bool = False

    def check_client(self, client):
        return self.client_id == client.client_id

    def get_scope(self):
        return self.scope

    def get_expires_in(self):
        return self.expires_in

    def is_expired(self):
        return self.issued_at + self.expires_in < time.time()


CLIENTS = {client.client_id: client for client in [Client("TestApp", None), Client("TestClient", "TestSecret")]}
TOKENS = {}
LOCK = threading.Lock()


def save_token(token, request):
    kept = Token(
        client_id=request.client.client_id,
        access_token=token["access_token"],
        refresh_token=token["refresh_token"],
        scope=token.get("scope", ""),
        issued_at=time.time(),
        expires_in=token["expires_in"],
    )
    TOKENS[kept.refresh_token] = kept


class PasswordGrant(grants.ResourceOwnerPasswordCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post"]

    def authenticate_user(self, username, password):
        return username if (username, password) == (USERNAME, PASSWORD) else None


class RefreshTokenGrant(grants.RefreshTokenGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post"]
    INCLUDE_NEW_REFRESH_TOKEN = True

    def authenticate_refresh_token(self, refresh_token):
        token = TOKENS.get(refresh_token)
        return token if token and not token.is_revoked else None

    def authenticate_user(self, refresh_token):
        return USERNAME

    def revoke_old_credential(self, refresh_token):
        refresh_token.is_revoked = True


class Revocation(RevocationEndpoint):
    CLIENT_AUTH_METHODS = ["none", "client_secret_basic", "client_secret_post"]

    def query_token(self, token_string, token_type_hint):
        return TOKENS.get(token_string)

    def revoke_token(self, token, request):
        token.is_revoked = True


def make_app(access_seconds):
    app = Flask(__name__)
    app.config["OAUTH2_REFRESH_TOKEN_GENERATOR"] = True
    app.config["OAUTH2_TOKEN_EXPIRES_IN"] = {grant_type: access_seconds for grant_type in GRANT_TYPES}
    server = AuthorizationServer(app, query_client=CLIENTS.get, save_token=save_token)
    server.register_grant(PasswordGrant)
    server.register_grant(RefreshTokenGrant)
    server.register_endpoint(Revocation)

    @app.post("/token")
    def token():
        # What a database's transaction is for: of two uses of one refresh token one is the second.
        with LOCK:
            return server.create_token_response()

    @app.post("/revoke")
    def revoke():
        return server.create_endpoint_response(Revocation.ENDPOINT_NAME)

    return app


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--access-seconds", type=int, default=3600)
    arguments = parser.parse_args()
    # It speaks plain HTTP on loopback, which Authlib does only when told.
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    http = make_server("127.0.0.1", 0, make_app(arguments.access_seconds), threaded=True)
    print(f"listening on http://127.0.0.1:{http.port}", flush=True)
    http.serve_forever()


main()
