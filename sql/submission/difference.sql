-- submission.difference: one row per report that is to be made now, by record_id; at most one of a person.
--
-- What is decided now is held against what the receiver has accepted (receiver_record). A person with a report that is not
-- answered waits. What was refused since the last acceptance comes again only with other facts, or if a person asked.
WITH compared AS (
    SELECT
        COALESCE(decided.person_id, receiver_record.person_id) AS person_id,
        CASE
            WHEN decided.decision_code = 'eligible' AND receiver_record.held_record_id IS NULL THEN 'A'
            WHEN decided.decision_code = 'eligible' AND decided.fact_sha256 <> receiver_record.held_fact_sha256 THEN 'B'
            WHEN decided.person_id IS NULL AND receiver_record.held_record_id IS NOT NULL THEN 'C'
        END AS operation_code,
        COALESCE(decided.fact_sha256, receiver_record.held_fact_sha256) AS fact_sha256,
        COALESCE(receiver_record.last_ordinal, 0) + 1 AS ordinal,
        receiver_record.held_record_id,
        receiver_record.held_start_month
    FROM decided
    FULL JOIN receiver_record ON decided.person_id = receiver_record.person_id
    WHERE NOT COALESCE(receiver_record.is_open, FALSE)
),

refused AS (
    SELECT report.*
    FROM report
    JOIN receiver_record ON report.person_id = receiver_record.person_id
    WHERE report.outcome_code = 'refused' AND report.ordinal > receiver_record.accepted_ordinal
),

first_try AS (
    SELECT person_id, operation_code, MIN(ordinal) AS ordinal
    FROM refused
    GROUP BY person_id, operation_code
),

last_of AS (
    SELECT person_id, operation_code, MAX(sequence) AS sequence
    FROM report
    GROUP BY person_id, operation_code
),

due AS (
    SELECT *
    FROM compared
    WHERE operation_code IS NOT NULL AND NOT EXISTS (
        SELECT 1
        FROM refused
        WHERE refused.person_id = compared.person_id
            AND refused.operation_code = compared.operation_code
            AND NOT refused.is_asked_again
            -- Facts of reports from before they were kept are not known: only a person sends those again.
            AND COALESCE(refused.fact_sha256, compared.fact_sha256, '') = COALESCE(compared.fact_sha256, '')
    )
),

numbered AS (
    SELECT
        due.person_id,
        due.operation_code,
        COALESCE(last_of.sequence, 0) + 1 AS sequence,
        due.ordinal,
        due.fact_sha256,
        CASE
            WHEN due.operation_code = 'A' THEN COALESCE(first_report.start_month, CAST($start_month AS DATE))
            ELSE due.held_start_month
        END AS start_month,
        due.held_record_id,
        first_report.record_id AS first_record_id
    FROM due
    LEFT JOIN last_of ON due.person_id = last_of.person_id AND due.operation_code = last_of.operation_code
    LEFT JOIN first_try ON due.person_id = first_try.person_id AND due.operation_code = first_try.operation_code
    LEFT JOIN report AS first_report
        ON first_try.person_id = first_report.person_id AND first_try.ordinal = first_report.ordinal
)

SELECT
    $case_number_begins || UPPER(SUBSTR(
        SHA256($programme_code || '|' || person_id || '|' || operation_code || '|' || CAST(sequence AS VARCHAR)), 1, 10
    )) AS record_id,
    numbered.*
FROM numbered
ORDER BY record_id
