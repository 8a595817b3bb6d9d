-- statistics.placed_cell: one row per measure, month (NULL in a cube without months), division and category: what was
-- counted, on divisions in force (`place`).
SELECT
    cell.measure,
    cell.month,
    place.division_code,
    place.level_code,
    cell.category,
    CAST(SUM(cell.value) AS BIGINT) AS value,
    FALSE AS is_divided
FROM cell
JOIN place ON place.received IS NOT DISTINCT FROM cell.division_code
GROUP BY ALL
