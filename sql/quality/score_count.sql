-- quality.score, its counts: one row per division and goal, a division counting all rows of the divisions below it.
-- `judged` has one row per combination of said codes and flags, with how many rows have it; `responsible` tells
-- whose they are.
WITH owned AS (
    SELECT
        responsible.division_code,
        SUM(judged.row_count) AS checked,
        SUM(CASE WHEN judged.is_accepted THEN judged.row_count ELSE 0 END) AS accepted,
        SUM(CASE WHEN judged.incomplete_before THEN judged.row_count ELSE 0 END) AS incomplete_before,
        SUM(CASE WHEN judged.incorrect_before THEN judged.row_count ELSE 0 END) AS incorrect_before,
        SUM(CASE WHEN judged.noncompliant_before THEN judged.row_count ELSE 0 END) AS noncompliant_before,
        SUM(CASE WHEN judged.incomplete_after THEN judged.row_count ELSE 0 END) AS incomplete_after,
        SUM(CASE WHEN judged.incorrect_after THEN judged.row_count ELSE 0 END) AS incorrect_after,
        SUM(CASE WHEN judged.noncompliant_after THEN judged.row_count ELSE 0 END) AS noncompliant_after
    FROM judged
    JOIN responsible
        ON responsible.code_1 IS NOT DISTINCT FROM judged.code_1
        AND responsible.code_2 IS NOT DISTINCT FROM judged.code_2
        AND responsible.code_3 IS NOT DISTINCT FROM judged.code_3
        AND responsible.code_4 IS NOT DISTINCT FROM judged.code_4
    GROUP BY responsible.division_code
),

goal AS (
    SELECT division_code, 'completeness' AS dimension, checked, accepted, incomplete_before AS failed_before, incomplete_after AS failed_after
    FROM owned
    UNION ALL
    SELECT division_code, 'correctness', checked, accepted, incorrect_before, incorrect_after FROM owned
    UNION ALL
    SELECT division_code, 'compliance', checked, accepted, noncompliant_before, noncompliant_after FROM owned
),

within AS (
    -- Each division with itself and with every one above it.
    SELECT division_code, division_code AS upper_code FROM division
    UNION ALL
    SELECT division_code, parent_code FROM division WHERE parent_code IS NOT NULL
    UNION ALL
    SELECT lower.division_code, upper.parent_code
    FROM division AS lower
    JOIN division AS upper ON upper.division_code = lower.parent_code
    WHERE upper.parent_code IS NOT NULL
    UNION ALL
    SELECT lower.division_code, upper.parent_code
    FROM division AS lower
    JOIN division AS middle ON middle.division_code = lower.parent_code
    JOIN division AS upper ON upper.division_code = middle.parent_code
    WHERE upper.parent_code IS NOT NULL
)

SELECT
    within.upper_code AS division_code,
    goal.dimension,
    CAST(SUM(goal.checked) AS BIGINT) AS checked,
    CAST(SUM(goal.accepted) AS BIGINT) AS accepted,
    CAST(SUM(goal.failed_before) AS BIGINT) AS failed_before,
    CAST(SUM(goal.failed_after) AS BIGINT) AS failed_after
FROM goal
JOIN within ON within.division_code = goal.division_code
GROUP BY within.upper_code, goal.dimension
