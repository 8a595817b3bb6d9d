-- submission.receiver_record: one row per person whom a subsystem reported in the period: what the receiver has accepted.
--
-- Reports are numbered per person, whatever they do, and only answers count: what was sent and not answered is open, and
-- a case whose last accepted report withdrew it is not held. ordinal 0 stands for "nothing was accepted yet".
WITH last_accepted AS (
    SELECT person_id, MAX(ordinal) AS ordinal
    FROM report
    WHERE outcome_code = 'accepted'
    GROUP BY person_id
),

held AS (
    SELECT report.person_id, report.record_id, report.fact_sha256, report.start_month
    FROM report
    JOIN last_accepted ON report.person_id = last_accepted.person_id AND report.ordinal = last_accepted.ordinal
    WHERE report.operation_code <> 'C'
),

reported AS (
    SELECT
        person_id,
        MAX(ordinal) AS last_ordinal,
        MAX(CASE WHEN outcome_code = 'open' THEN 1 ELSE 0 END) = 1 AS is_open
    FROM report
    GROUP BY person_id
)

SELECT
    reported.person_id,
    held.record_id AS held_record_id,
    held.fact_sha256 AS held_fact_sha256,
    held.start_month AS held_start_month,
    COALESCE(last_accepted.ordinal, 0) AS accepted_ordinal,
    reported.last_ordinal,
    reported.is_open
FROM reported
LEFT JOIN last_accepted ON reported.person_id = last_accepted.person_id
LEFT JOIN held ON reported.person_id = held.person_id
ORDER BY reported.person_id
