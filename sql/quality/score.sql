-- quality.score: one row per division and goal, with the scores that its counts `counted` make.
SELECT
    counted.division_code,
    division.level_code,
    counted.dimension,
    counted.checked,
    counted.accepted,
    counted.failed_before,
    counted.failed_after,
    ROUND(100.0 * (counted.checked - counted.failed_before) / counted.checked, 2) AS score_before,
    CASE
        WHEN counted.accepted > 0 THEN ROUND(100.0 * (counted.accepted - counted.failed_after) / counted.accepted, 2)
    END AS score_after
FROM counted
JOIN division ON division.division_code = counted.division_code
ORDER BY counted.division_code, counted.dimension
