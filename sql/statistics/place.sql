-- statistics.place: one row per division code of `code` as it was received, with the division in force that it counts
-- under, and its level.
--
-- Codes that are on no list, or outside the city, stand under the city; retired ones under their successors.
WITH upper AS (
    SELECT received, 1 AS preference, COALESCE(successor_code, RPAD(received, 12, '0')) AS division_code
    FROM code
    LEFT JOIN retired_division ON retired_code = RPAD(received, 12, '0')
    UNION ALL
    SELECT received, 2, SUBSTR(received, 1, 9) || '000' FROM code WHERE LENGTH(received) = 12
    UNION ALL
    SELECT received, 3, SUBSTR(received, 1, 6) || '000000' FROM code WHERE LENGTH(received) = 12
    UNION ALL
    SELECT received, 4, '110000000000' FROM code
)
SELECT upper.received, division.division_code, division.level_code
FROM upper
JOIN division USING (division_code)
QUALIFY ROW_NUMBER() OVER (PARTITION BY upper.received ORDER BY preference) = 1
