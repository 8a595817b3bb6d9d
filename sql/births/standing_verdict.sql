-- births.standing_verdict: one row per birth and child of which a person has said whether they are one, as it stands.
--
-- A word is about a birth by any record that the birth had when it was given: it outlives reissues, records that arrive
-- late and a first report that is withdrawn. The newest word about a pair counts.
WITH member AS (
    SELECT mch_record_id, first_record_id, UNNEST(LIST_PREPEND(mch_record_id, folded_record_ids)) AS record_id
    FROM folded_birth
),
said AS (
    SELECT pair_verdict.* EXCLUDE (record_ids), UNNEST(record_ids) AS record_id FROM pair_verdict
),
met AS (
    SELECT DISTINCT
        member.mch_record_id,
        member.first_record_id,
        said.* EXCLUDE (first_record_id, record_id),
        BOOL_OR(said.record_id = said.first_record_id)
            OVER (PARTITION BY member.mch_record_id, said.first_record_id, said.relation_id) AS holds_first,
        said.first_record_id AS said_record_id
    FROM said
    JOIN member USING (record_id)
    WHERE relation_id IN (SELECT relation_id FROM population_child)
),
of_one_birth AS (
    -- Where the records of a birth came apart, it is one child still: that of the part with the first report.
    SELECT *
    FROM met
    QUALIFY verdict_code <> 'same' OR ROW_NUMBER() OVER (
        PARTITION BY said_record_id, relation_id, decided_at ORDER BY holds_first DESC, mch_record_id
    ) = 1
),
newest AS (
    SELECT *
    FROM of_one_birth
    QUALIFY ROW_NUMBER() OVER (
        PARTITION BY mch_record_id, relation_id ORDER BY business_date DESC, decided_at DESC, said_record_id
    ) = 1
),
ranked AS (
    SELECT
        *,
        verdict_code = 'same' AND (
            ROW_NUMBER() OVER (
                PARTITION BY verdict_code, mch_record_id ORDER BY business_date DESC, decided_at DESC, relation_id
            ) > 1
            OR ROW_NUMBER() OVER (
                PARTITION BY verdict_code, relation_id ORDER BY business_date DESC, decided_at DESC, mch_record_id
            ) > 1
        ) AS is_contradicted
    FROM newest
)
SELECT
    mch_record_id, first_record_id, relation_id, verdict_code, is_contradicted, evidence_sha256, rule_version,
    business_date, decided_at
FROM ranked
ORDER BY mch_record_id, relation_id
