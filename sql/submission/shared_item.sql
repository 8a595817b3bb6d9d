-- submission.shared_item: one row per correction or to-do that is to be written about now, with what is written.
--
-- A subject is written about when it is new, when what it rests on has changed, when an accepted correction shows no
-- effect, and when it is over before anybody answered (withdrawn). It keeps its id; each time is a round of its own.
WITH correction AS (
    SELECT
        'correction' AS kind_code,
        proposed_to AS addressee_code,
        SUBSTR(SHA256('correction:' || match_id || ':' || field_name || ':' || proposed_to), 1, 32) AS subject_id,
        match_id,
        field_name,
        CASE proposed_to WHEN 'mch' THEN mch_record_id ELSE CAST(relation_id AS VARCHAR) END AS record_key,
        CASE proposed_to WHEN 'mch' THEN mch_value ELSE population_value END AS held_value,
        surviving_value AS proposed_value,
        proposal_sha256,
        rule_code,
        source AS ground
    FROM birth_field
    -- Where a resident ID says what the losing side says, a person looks first: a ruling lets it go.
    WHERE proposed_to IS NOT NULL AND (is_ruled OR witness_code IS NULL OR witness_code = winner_code)
),
handed AS (
    SELECT
        'task' AS kind_code,
        addressee.addressee_code,
        task.task_id AS subject_id,
        birth_match.match_id,
        birth_match.evidence_sha256,
        task.kind_code AS task_kind_code,
        task.division_code,
        task.due_date,
        task.detail_codes,
        birth_match.birth_date,
        birth_match.birth_district_code,
        NULLIF(TRIM(mch_birth.mother_name), '') AS mother_name,
        NULLIF(TRIM(mch_birth.mother_id_number), '') AS mother_id_number,
        NULLIF(TRIM(mch_birth.father_id_number), '') AS father_id_number
    FROM task
    JOIN addressee ON addressee.task_kind_code = task.kind_code
    JOIN birth_match ON birth_match.match_id = task.subject_id
    LEFT JOIN mch_birth ON mch_birth.record_id = birth_match.mch_record_id
),
standing AS (
    SELECT
        kind_code, addressee_code, subject_id, match_id, field_name,
        proposal_sha256 AS evidence_sha256,
        record_key, held_value, proposed_value, rule_code, ground,
        CAST(NULL AS VARCHAR) AS task_kind_code, CAST(NULL AS VARCHAR) AS division_code, CAST(NULL AS VARCHAR) AS due_date,
        CAST(NULL AS VARCHAR) AS detail_codes, CAST(NULL AS VARCHAR) AS child_birth_date,
        CAST(NULL AS VARCHAR) AS birth_division_code, CAST(NULL AS VARCHAR) AS mother_name,
        CAST(NULL AS VARCHAR) AS mother_id_number, CAST(NULL AS VARCHAR) AS father_id_number
    FROM correction
    UNION ALL
    SELECT
        kind_code, addressee_code, subject_id, match_id, NULL,
        evidence_sha256,
        NULL, NULL, NULL, NULL, NULL,
        task_kind_code, division_code, CAST(due_date AS VARCHAR), detail_codes, CAST(birth_date AS VARCHAR),
        birth_district_code, mother_name, mother_id_number, father_id_number
    FROM handed
),
compared AS (
    SELECT
        standing.*,
        last_item.item_id AS last_item_id,
        COALESCE(last_item.round, 0) AS last_round,
        CASE
            WHEN last_item.item_id IS NULL OR last_item.operation_code = 'C' THEN TRUE
            WHEN last_item.evidence_sha256 <> standing.evidence_sha256 THEN TRUE
            WHEN standing.kind_code = 'correction' AND last_item.state_code = '30'
                THEN last_item.answered_on + $applied_days < CAST($business_date AS DATE)
            ELSE FALSE
        END AS is_due
    FROM standing
    LEFT JOIN last_item USING (subject_id)
),
over AS (
    SELECT last_item.*
    FROM last_item
    WHERE operation_code = 'A' AND COALESCE(state_code, '20') = '20'
        AND subject_id NOT IN (SELECT subject_id FROM standing)
)
SELECT
    kind_code, addressee_code, subject_id, match_id, field_name, evidence_sha256,
    subject_id || '-' || CAST(last_round + 1 AS VARCHAR) AS item_id,
    last_round + 1 AS round,
    'A' AS operation_code,
    last_item_id AS replaces_item_id,
    record_key, held_value, proposed_value, rule_code, ground,
    task_kind_code, division_code, due_date, detail_codes, child_birth_date, birth_division_code,
    mother_name, mother_id_number, father_id_number
FROM compared
WHERE is_due
UNION ALL
SELECT
    kind_code, addressee_code, subject_id, match_id, field_name, evidence_sha256,
    subject_id || '-' || CAST(round + 1 AS VARCHAR), round + 1, 'C', item_id,
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
FROM over
ORDER BY addressee_code, item_id
