-- What a store of schema 1 held, as the version that knew no later schema wrote it.

INSERT INTO migrations VALUES (1, 'clients_users_grants_keys', 1418915272945469508, 1790000000123);

INSERT INTO identity VALUES (1, x'a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1a1');

INSERT INTO epochs VALUES (1, x'e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1e1');

INSERT INTO clients VALUES (1, 'app', x'61707000000000000000000000000000', x'5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c', 1, 3, 7, '{"auth_methods":["client_secret_basic","client_secret_post"],"credential":"hash of a secret","grant_types":["authorization_code","client_credentials","password","refresh_token"],"redirect_uris":["https://app.example/back?a=\"b\"","http://127.0.0.1/","app://back","https://app.example/back"],"scope":"read write","default_scope":"read","resources":["https://api.example/","urn:example:other"],"audience":["https://api.example/","é"],"access_token_format":"jwt_eddsa","policy":{"rotation":"fork","retry_window_seconds":4294967295,"on_reuse":"alert","access_lifetime":900,"idle_lifetime":4294967295,"absolute_lifetime":0}}', NULL);
INSERT INTO clients VALUES (2, 'gone', NULL, NULL, 0, 3, 8, NULL, 1790000000123);
INSERT INTO clients VALUES (3, 'bare', x'62617265000000000000000000000000', x'5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c5c', 0, 4294967295, 0, '{"auth_methods":["none"],"credential":null,"grant_types":[],"redirect_uris":[],"scope":"","default_scope":"","resources":[],"audience":[],"access_token_format":"opaque","policy":{"rotation":"rotate","retry_window_seconds":null,"on_reuse":null,"access_lifetime":0,"idle_lifetime":0,"absolute_lifetime":0}}', NULL);

INSERT INTO users VALUES (1, 'alice', 'alice@exämple', 'hash of a password', 'active', 5, 11, NULL);

INSERT INTO grants VALUES (x'01010101010101010101010101010101', x'5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e5e', 1, NULL, 1, 1, 'read write', 'https://api.example/ urn:example:other', x'64d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0d0', 2, 3, 4, 1790000000005, 900, x'c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0', 1, 1790000000006, 1790000000007, 1790000000008, 1790000000009, 1790000000010, 3, 5);
INSERT INTO grants VALUES (x'02020202020202020202020202020202', x'00000000000000000000000000000000', 2, NULL, 1, 1, '', NULL, NULL, 0, 0, 0, -9223372036854775808, 0, NULL, 0, -9223372036854775808, 0, NULL, NULL, NULL, 0, 0);
INSERT INTO grants VALUES (x'03030303030303030303030303030303', x'ffffffffffffffffffffffffffffffff', 9223372036854775807, NULL, 1, 1, 'read write', 'https://api.example/ urn:example:other', x'63ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff', 4294967295, 255, 255, 9223372036854775807, 4294967295, x'ffffffffffffffffffffffffffffffff', 1, 9223372036854775807, 9223372036854775807, 9223372036854775807, 9223372036854775807, 9223372036854775807, 4294967295, 4294967295);

INSERT INTO listed_access_tokens VALUES (x'01010101010101010101010101010101ffffffff01010101010101010101', NULL);

INSERT INTO announced_keys VALUES (1, x'0101010101010101');

INSERT INTO signing_keys VALUES (1, 'key', 'EdDSA', 1, x'01', 1);

PRAGMA application_id = 1919381108;
PRAGMA user_version = 1;
