-- statistics.placed_figure: one row per measure, month, division of the day and category: figures that were published
-- month by month, on the divisions of one day.
--
-- `published` holds every figure once, at the lowest level; `carried` tells where a code of then belongs now.
-- What a division lost a part of on the way (析出) stands at the division above it: `is_divided` marks the row.
SELECT
    published.measure,
    published.month,
    carried.division_code,
    division.level_code,
    published.category,
    CAST(SUM(published.value) AS BIGINT) AS value,
    BOOL_OR(carried.is_divided) AS is_divided
FROM published
JOIN carried ON carried.month = published.month AND carried.said_code = published.division_code
JOIN division ON division.division_code = carried.division_code
WHERE published.level_code = '4'
GROUP BY ALL
