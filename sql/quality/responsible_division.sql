-- responsible_division: one row per row of `said`, the codes that a row says of itself, first choice first:
-- the division of the business date that answers for it. A retired division gives way to its successor, a code
-- that is on no list to the town or district above it; a row that names no division of the city is the city's.
WITH code AS (
    SELECT code_1 AS code FROM said
    UNION
    SELECT code_2 FROM said
    UNION
    SELECT code_3 FROM said
    UNION
    SELECT code_4 FROM said
),

today AS (
    SELECT code.code, COALESCE(retired_division.successor_code, RPAD(code.code, 12, '0')) AS code_12
    FROM code
    LEFT JOIN retired_division ON retired_division.retired_code = code.code
    WHERE LENGTH(code.code) IN (6, 9, 12)
),

known AS (
    SELECT today.code, COALESCE(itself.division_code, town.division_code, district.division_code) AS division_code
    FROM today
    LEFT JOIN division AS itself ON itself.division_code = today.code_12
    LEFT JOIN division AS town ON town.division_code = SUBSTR(today.code_12, 1, 9) || '000'
    LEFT JOIN division AS district ON district.division_code = SUBSTR(today.code_12, 1, 6) || '000000'
),

chosen AS (
    SELECT
        said.code_1,
        said.code_2,
        said.code_3,
        said.code_4,
        COALESCE(
            first_said.division_code, second_said.division_code, third_said.division_code, fourth_said.division_code,
            '110000000000'
        ) AS division_code
    FROM said
    LEFT JOIN known AS first_said ON first_said.code = said.code_1
    LEFT JOIN known AS second_said ON second_said.code = said.code_2
    LEFT JOIN known AS third_said ON third_said.code = said.code_3
    LEFT JOIN known AS fourth_said ON fourth_said.code = said.code_4
)

SELECT chosen.*, division.level_code
FROM chosen
JOIN division ON division.division_code = chosen.division_code
