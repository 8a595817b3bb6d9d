-- births.task: one row per finding and situation that somebody has to act on, and one per pair that people are asked about.
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
pair AS (
    -- A pair is asked about once, where its birth is looked after; where that is no finding, where the child is.
    SELECT
        link_review.match_id, link_review.reason_codes,
        ARG_MIN(asked, (asked.mch_record_id IS DISTINCT FROM link_review.mch_record_id, asked.match_id)) AS asked
    FROM link_review
    JOIN asked
        ON asked.mch_record_id = link_review.mch_record_id OR asked.relation_id = link_review.relation_id
    WHERE asked.situation_code = 'same_child'
    GROUP BY link_review.match_id, link_review.reason_codes
),
about AS (
    SELECT
        kind_code, match_id AS subject_id, asked_code, division_code, level_code,
        CASE WHEN is_ambiguous THEN LIST_APPEND(detail_codes, 'several_candidates') ELSE detail_codes END AS detail_codes
    FROM asked
    WHERE situation_code <> 'same_child'
    UNION ALL
    SELECT asked.kind_code, match_id, asked.asked_code, asked.division_code, asked.level_code, reason_codes
    FROM pair
),
task AS (
    SELECT
        kind_code,
        subject_id,
        -- What is on no list falls to whom the birth is anyway.
        COALESCE(division.division_code, about.division_code) AS division_code,
        COALESCE(division.level_code, about.level_code) AS level_code,
        detail_codes
    FROM about
    LEFT JOIN division ON division.division_code = asked_code
)
SELECT SUBSTR(SHA256(kind_code || ':' || subject_id), 1, 32) AS task_id, task.*
FROM task
ORDER BY task_id
