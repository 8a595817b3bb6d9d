-- source_column: one row per column of a table or view of the population database, as its reader sees it.
SELECT
    attribute.attname::text AS column_name,
    type.typname::text AS type_name,
    has_column_privilege(relation.oid, attribute.attnum, 'SELECT') AS is_readable
FROM pg_catalog.pg_class AS relation
JOIN pg_catalog.pg_attribute AS attribute ON attribute.attrelid = relation.oid
JOIN pg_catalog.pg_type AS type ON type.oid = attribute.atttypid
WHERE relation.oid = to_regclass($1::text)
    AND relation.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND attribute.attnum > 0
    AND NOT attribute.attisdropped
ORDER BY attribute.attnum
