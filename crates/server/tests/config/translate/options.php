<?php
// The options of the server.
return array(
    'always_issue_new_refresh_token' => true,
    'refresh_token_lifetime' => 2419200, # 28 days
    "access_lifetime" => 1800,
    'www_realm' => 'Bob\'s photos',
    'allow_implicit' => TRUE,
    'jwt_extra_payload_callable' => null,
    'client_table' => 'oauth_clients',
    'my_own' => 'x',
);
