-- statistics.cube: one row per measure, month (NULL in a cube without months), level, division of that level and
-- category.
--
-- A cell that is known to a town only stands at village level under the town itself (下级不详), so that the levels
-- always have equal totals. Codes that are on no list, or outside the city, stand under the city; retired ones
-- under their successors.
WITH code AS (
    SELECT DISTINCT division_code AS received FROM cell
),
upper AS (
    SELECT received, 1 AS preference, COALESCE(successor_code, RPAD(received, 12, '0')) AS division_code
    FROM code
    LEFT JOIN retired_division ON retired_code = RPAD(received, 12, '0')
    UNION ALL
    SELECT received, 2, SUBSTR(received, 1, 9) || '000' FROM code WHERE LENGTH(received) = 12
    UNION ALL
    SELECT received, 3, SUBSTR(received, 1, 6) || '000000' FROM code WHERE LENGTH(received) = 12
    UNION ALL
    SELECT received, 4, '110000000000' FROM code
),
nearest AS (
    SELECT upper.received, division.division_code, division.level_code
    FROM upper
    JOIN division USING (division_code)
    QUALIFY ROW_NUMBER() OVER (PARTITION BY upper.received ORDER BY preference) = 1
),
cell_of_nearest AS (
    SELECT cell.measure, cell.month, nearest.division_code, nearest.level_code, cell.category, SUM(cell.value) AS value
    FROM cell
    JOIN nearest ON nearest.received IS NOT DISTINCT FROM cell.division_code
    GROUP BY ALL
),
level AS (
    SELECT UNNEST(['1', '2', '3', '4']) AS level_code, UNNEST([2, 6, 9, 12]) AS digits
),
rolled AS (
    SELECT
        cell_of_nearest.measure,
        cell_of_nearest.month,
        level.level_code,
        CASE
            WHEN level.level_code >= cell_of_nearest.level_code THEN cell_of_nearest.division_code
            ELSE RPAD(SUBSTR(cell_of_nearest.division_code, 1, level.digits), 12, '0')
        END AS division_code,
        cell_of_nearest.category,
        SUM(cell_of_nearest.value) AS value
    FROM cell_of_nearest
    CROSS JOIN level
    GROUP BY ALL
)
SELECT
    CAST($business_date AS DATE) AS business_date,
    rolled.measure,
    rolled.month,
    rolled.level_code,
    rolled.division_code,
    division.division_name || CASE WHEN division.level_code < rolled.level_code THEN '（下级不详）' ELSE '' END
        AS division_name,
    rolled.category,
    CAST(rolled.value AS BIGINT) AS value
FROM rolled
JOIN division USING (division_code)
ORDER BY measure, rolled.month, rolled.level_code, rolled.division_code, category
