-- births.task: one row per finding that somebody has to act on.
WITH task AS (
    SELECT
        CASE
            WHEN is_from_elsewhere THEN 'birth_of_mother_from_elsewhere'
            WHEN class_code = 'only_mch' THEN 'birth_missing_in_population'
            WHEN class_code = 'only_population' THEN 'birth_missing_in_mch'
            ELSE 'birth_conflict'
        END AS kind_code,
        match_id AS subject_id, division_code, level_code,
        CASE WHEN is_ambiguous THEN LIST_APPEND(conflict_fields, 'several_candidates') ELSE conflict_fields END AS detail_codes
    FROM birth_match
    WHERE class_code <> 'linked'
)
SELECT SUBSTR(SHA256(kind_code || ':' || subject_id), 1, 32) AS task_id, task.*
FROM task
ORDER BY task_id
