-- source_pages: one row: how many pages a table has whose rows lie in pages of its own; NULL of views and others.
SELECT
    CASE
        WHEN relation.relkind IN ('r', 'm') AND current_setting('server_version_num')::integer >= 140000
        THEN pg_relation_size(relation.oid) / current_setting('block_size')::bigint
    END AS pages
FROM pg_catalog.pg_class AS relation
WHERE relation.oid = to_regclass($1::text)
