-- statistics.comparable: one row per measure, month, level, division of the day and category: figures that were
-- published month by month, on the divisions of one day.
--
-- `published` holds every figure once, at the lowest level; `carried` tells where a code of then belongs now.
-- What a division lost a part of on the way (析出) cannot be told apart below the division above it: there it stands
-- (下级不详), and `is_divided` marks the row. Every level has the same total, which is the published one.
WITH cell AS (
    SELECT
        published.measure,
        published.month,
        published.category,
        carried.division_code,
        division.level_code,
        SUM(published.value) AS value,
        BOOL_OR(carried.is_divided) AS is_divided
    FROM published
    JOIN carried ON carried.month = published.month AND carried.said_code = published.division_code
    JOIN division ON division.division_code = carried.division_code
    WHERE published.level_code = '4'
    GROUP BY ALL
),
level AS (
    SELECT UNNEST(['1', '2', '3', '4']) AS level_code, UNNEST([2, 6, 9, 12]) AS digits
),
rolled AS (
    SELECT
        cell.measure,
        cell.month,
        level.level_code,
        CASE
            WHEN level.level_code >= cell.level_code THEN cell.division_code
            ELSE RPAD(SUBSTR(cell.division_code, 1, level.digits), 12, '0')
        END AS division_code,
        cell.category,
        SUM(cell.value) AS value,
        BOOL_OR(cell.is_divided AND level.level_code > cell.level_code) AS is_divided
    FROM cell
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
