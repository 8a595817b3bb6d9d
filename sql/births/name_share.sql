-- births.name_share: one row per name that an open birth bears, by column: how much of all MCH records bear it.
WITH named AS (
    SELECT 'child_name' AS column_name, child_name AS name FROM mch_birth WHERE NOT is_provisional_name(child_name)
    UNION ALL
    SELECT 'mother_name', mother_name FROM mch_birth WHERE mother_name IS NOT NULL
    UNION ALL
    SELECT 'father_name', father_name FROM mch_birth WHERE father_name IS NOT NULL
),
counted AS (
    SELECT column_name, name, COUNT(*) AS records FROM named GROUP BY column_name, name
),
total AS (
    SELECT column_name, SUM(records) AS records FROM counted GROUP BY column_name
),
borne AS (
    SELECT 'child_name' AS column_name, child_name AS name FROM open_birth
    UNION
    SELECT 'mother_name', mother_name FROM open_birth
    UNION
    SELECT 'father_name', father_name FROM open_birth
)
SELECT column_name, name, CAST(counted.records AS DOUBLE) / total.records AS share
FROM counted
JOIN borne USING (column_name, name)
JOIN total USING (column_name)
ORDER BY column_name, name
