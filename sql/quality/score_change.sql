-- quality.score, its counts when some rows changed: those of the date `before`, less the counts of these rows as they
-- were then (`was`), and those as they are now (`becomes`). A division without rows has no counts.
WITH summand AS (
    SELECT division_code, dimension, checked, accepted, failed_before, failed_after FROM before
    UNION ALL
    SELECT division_code, dimension, -checked, -accepted, -failed_before, -failed_after FROM was
    UNION ALL
    SELECT division_code, dimension, checked, accepted, failed_before, failed_after FROM becomes
)

SELECT
    division_code,
    dimension,
    CAST(SUM(checked) AS BIGINT) AS checked,
    CAST(SUM(accepted) AS BIGINT) AS accepted,
    CAST(SUM(failed_before) AS BIGINT) AS failed_before,
    CAST(SUM(failed_after) AS BIGINT) AS failed_after
FROM summand
GROUP BY division_code, dimension
HAVING SUM(checked) <> 0
