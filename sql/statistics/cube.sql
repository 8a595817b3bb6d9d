-- statistics.cube: one row per measure, month (NULL in a cube without months), level, division of that level and
-- category.
--
-- `placed` are cells or figures at the lowest division that is known. One that is known to a town only stands at
-- village level under the town itself (下级不详), so that all levels have equal totals. `is_divided` marks what
-- stands there because it cannot be told apart below (析出).
WITH level AS (
    SELECT UNNEST(['1', '2', '3', '4']) AS level_code, UNNEST([2, 6, 9, 12]) AS digits
),
rolled AS (
    SELECT
        placed.measure,
        placed.month,
        level.level_code,
        CASE
            WHEN level.level_code >= placed.level_code THEN placed.division_code
            ELSE RPAD(SUBSTR(placed.division_code, 1, level.digits), 12, '0')
        END AS division_code,
        placed.category,
        SUM(placed.value) AS value,
        BOOL_OR(placed.is_divided AND level.level_code > placed.level_code) AS is_divided
    FROM placed
    CROSS JOIN level
    GROUP BY ALL
)
SELECT
    rolled.measure,
    rolled.month,
    rolled.level_code,
    rolled.division_code,
    division.division_name || CASE WHEN division.level_code < rolled.level_code THEN '（下级不详）' ELSE '' END
        AS division_name,
    rolled.category,
    CAST(rolled.value AS BIGINT) AS value,
    rolled.is_divided
FROM rolled
JOIN division USING (division_code)
ORDER BY measure, rolled.month, rolled.level_code, rolled.division_code, category
