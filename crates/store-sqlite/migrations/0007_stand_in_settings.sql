-- Settings that cannot be read are left to whoever reads them to report.
UPDATE clients
SET settings = json_set(
    settings,
    '$.refresh_token_scope', NULL,
    '$.policy.scope_narrowing', 'access_token',
    '$.policy.old_access_tokens', 'keep',
    '$.allow_unsafe_rotation', json('false')
)
WHERE json_valid(settings);
