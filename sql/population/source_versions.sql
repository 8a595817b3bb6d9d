-- source_versions: one row of a table with a primary key that lies in pages of its own and is read whole, none of
-- others: where its versions of rows come from, below which transaction all had ended as this snapshot sees them, and
-- at which it ends. A server that started again or recovered from a crash, a table made anew, and one with other
-- columns are other origins.
SELECT
    CONCAT_WS(
        '/',
        (EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000)::bigint,
        (SELECT (EXTRACT(EPOCH FROM stats_reset) * 1000000)::bigint FROM pg_catalog.pg_stat_wal),
        (SELECT oid FROM pg_catalog.pg_database WHERE datname = current_database()),
        relation.oid,
        (
            SELECT MD5(STRING_AGG(CONCAT_WS(' ', other.attnum, other.attname), ',' ORDER BY other.attnum))
            FROM pg_catalog.pg_attribute AS other
            WHERE other.attrelid = relation.oid AND NOT other.attisdropped
        )
    ) AS origin,
    pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS horizon,
    pg_snapshot_xmax(pg_current_snapshot())::text::bigint AS ends
FROM pg_catalog.pg_class AS relation
JOIN pg_catalog.pg_am AS method ON method.oid = relation.relam AND method.amname = 'heap'
JOIN pg_catalog.pg_index AS key ON key.indrelid = relation.oid AND key.indisprimary AND key.indnkeyatts = 1
JOIN pg_catalog.pg_attribute AS attribute
    ON attribute.attrelid = relation.oid AND attribute.attnum = key.indkey[0] AND attribute.attname = $2
WHERE relation.oid = to_regclass($1::text)
    AND NOT relation.relhassubclass
    AND NOT relation.relrowsecurity
    AND has_table_privilege(relation.oid, 'SELECT')
