-- births.task: one row per finding and situation that somebody has to act on.
WITH situation AS (
    SELECT birth_match.*, UNNEST(situation_codes) AS situation_code FROM birth_match
),
asked AS (
    SELECT
        situation.*,
        kind_code,
        CASE acting_code
            WHEN 'district' THEN SUBSTR(division_code, 1, 6) || '000000'
            WHEN 'hospital' THEN birth_district_code
            WHEN 'beneficiary' THEN beneficiary_division_code
            ELSE division_code
        END AS asked_code,
        CASE situation_code
            WHEN 'conflict' THEN prevailing_fields
            WHEN 'review' THEN review_fields
            WHEN 'missing_in_mch' THEN [absence_code]
            WHEN 'of_beneficiary' THEN programme_codes
            ELSE []
        END AS detail_codes
    FROM situation
    JOIN situation_rule USING (situation_code)
    WHERE kind_code IS NOT NULL
),
task AS (
    SELECT
        kind_code,
        match_id AS subject_id,
        -- What is on no list falls to whom the birth is anyway.
        COALESCE(division.division_code, asked.division_code) AS division_code,
        COALESCE(division.level_code, asked.level_code) AS level_code,
        CASE WHEN is_ambiguous THEN LIST_APPEND(detail_codes, 'several_candidates') ELSE detail_codes END AS detail_codes
    FROM asked
    LEFT JOIN division ON division.division_code = asked_code
)
SELECT SUBSTR(SHA256(kind_code || ':' || subject_id), 1, 32) AS task_id, task.*
FROM task
ORDER BY task_id
