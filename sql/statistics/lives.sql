-- statistics.lives: cells of the lives of cases, by the newest step that the business date knows; one row per measure,
-- village and category (programme, then what the measure names). Whoever is on the way to payment is counted here alone.
WITH life AS (
    SELECT
        division_code, programme_code, category_code, state_code,
        COALESCE(exit_reason_code, 'unknown') AS exit_reason_code, COALESCE(age_group, 'unknown') AS age_group
    FROM life_known
    LEFT JOIN beneficiary_age ON beneficiary_age.person_id = life_known.person_id
)
SELECT
    CASE
        WHEN GROUPING(category_code) = 0 THEN 'lives_by_category'
        WHEN GROUPING(age_group) = 0 THEN 'lives_by_age'
        WHEN GROUPING(exit_reason_code) = 0 THEN 'lives_by_reason'
        ELSE 'lives_by_state'
    END AS measure,
    division_code,
    CONCAT_WS('/', programme_code, category_code, age_group, exit_reason_code, state_code) AS category,
    COUNT(*) AS value
FROM life
GROUP BY GROUPING SETS (
    (division_code, programme_code, state_code),
    (division_code, programme_code, category_code, state_code),
    (division_code, programme_code, age_group, state_code),
    (division_code, programme_code, exit_reason_code, state_code)
)
-- Only exits have a reason.
HAVING GROUPING(exit_reason_code) = 1 OR state_code IN ('exit_proposed', 'exit_passed', 'exited')
