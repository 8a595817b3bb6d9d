-- births.folded_birth: one row per birth that MCH knows; reissued and twice-reported records are folded into it.
WITH chain_head AS (
    -- What the latest valid issue of a chain says.
    SELECT *
    FROM chained_record
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY chain_id
        ORDER BY (status_code = '3'), issue_date DESC NULLS LAST, reported_at DESC NULLS LAST, record_id DESC
    ) = 1
),
twice_reported AS (
    -- One child reported by two organisations. Two children of one delivery never fold, whatever their order says.
    SELECT mother_id_number, birth_date, sex_code, plural_order, MIN(chain_id) AS birth_key
    FROM chain_head
    WHERE mother_id_number IS NOT NULL AND plural_order IS NOT NULL
    GROUP BY mother_id_number, birth_date, sex_code, plural_order
    HAVING COUNT(*) > 1 AND COUNT(*) = COUNT(DISTINCT delivery_id)
),
birth_of_chain AS (
    SELECT chain_head.chain_id, COALESCE(twice_reported.birth_key, chain_head.chain_id) AS birth_key
    FROM chain_head
    LEFT JOIN twice_reported USING (mother_id_number, birth_date, sex_code, plural_order)
),
ranked_record AS (
    SELECT
        chained_record.*,
        birth_of_chain.birth_key,
        ROW_NUMBER() OVER (
            PARTITION BY birth_of_chain.birth_key
            ORDER BY (status_code = '3'), issue_date DESC NULLS LAST, reported_at DESC NULLS LAST, record_id DESC
        ) AS issue_rank
    FROM chained_record
    JOIN birth_of_chain USING (chain_id)
),
certificate AS (
    SELECT birth_key, LIST(DISTINCT number ORDER BY number) AS certificate_numbers
    FROM (
        SELECT birth_key, own_number AS number FROM ranked_record
        UNION ALL
        SELECT birth_key, previous_number FROM ranked_record
    )
    WHERE number IS NOT NULL
    GROUP BY birth_key
),
fold AS (
    SELECT
        birth_key,
        COALESCE(LIST(record_id ORDER BY record_id) FILTER (issue_rank > 1), []) AS folded_record_ids,
        -- The first report names the birth for good: a reissue tomorrow does not make it another finding.
        ARG_MIN(record_id, (COALESCE(reported_at, born_at), record_id)) AS first_record_id,
        ARG_MIN(mother_id_number, issue_rank) FILTER (mother_id_number IS NOT NULL) AS mother_id_number,
        MIN(reported_at) AS first_reported_at
    FROM ranked_record
    GROUP BY birth_key
)
SELECT
    head.record_id AS mch_record_id,
    fold.first_record_id,
    fold.folded_record_ids,
    COALESCE(certificate.certificate_numbers, []) AS certificate_numbers,
    COALESCE(head.outcome_code, '1') = '1' AS is_living,
    head.birth_date,
    head.sex_code,
    COALESCE(head.plural_order, 1) AS plural_order,
    head.parity,
    fold.mother_id_number,
    head.mother_residence_division_code,
    head.mother_hukou_division_code,
    head.birth_division_code,
    CASE
        WHEN fold.first_reported_at IS NULL OR CAST(fold.first_reported_at AS DATE) < head.birth_date THEN 'unknown'
        WHEN CAST(fold.first_reported_at AS DATE) - head.birth_date >= $very_late_days THEN 'very_late'
        WHEN CAST(fold.first_reported_at AS DATE) - head.birth_date > $late_days THEN 'late'
        WHEN fold.first_reported_at > head.born_at + TO_HOURS($on_time_hours) THEN 'within_days'
        ELSE 'on_time'
    END AS report_delay_code
FROM ranked_record AS head
JOIN fold USING (birth_key)
LEFT JOIN certificate USING (birth_key)
WHERE head.issue_rank = 1
ORDER BY mch_record_id
