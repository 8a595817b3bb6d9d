-- statistics.placed_cell: one row per measure, month (NULL in a cube without months), division and category: what was
-- counted, on divisions in force.
--
-- Codes that are on no list, or outside the city, stand under the city; retired ones under their successors.
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
)
SELECT
    cell.measure,
    cell.month,
    nearest.division_code,
    nearest.level_code,
    cell.category,
    CAST(SUM(cell.value) AS BIGINT) AS value,
    FALSE AS is_divided
FROM cell
JOIN nearest ON nearest.received IS NOT DISTINCT FROM cell.division_code
GROUP BY ALL
