-- births.birth_field: one row per birth and field, with what each side says, which value survives and by which rule.
--
-- A provisional name (某之子) states no name: it is shown, but it stands against nothing and replaces nothing.
WITH said AS (
    SELECT
        match_id, evidence_sha256, mch_record_id, relation_id, 'child_name' AS field_name,
        mch_name AS mch_value, population_name AS population_value,
        has_mch_name AS has_mch, has_population_name AS has_population,
        'registered_name' AS rule_if_differing,
        CAST(NULL AS VARCHAR) AS witness_value, CAST(NULL AS VARCHAR) AS mch_testimony,
        CAST(NULL AS VARCHAR) AS population_testimony
    FROM both_sides
    UNION ALL
    SELECT
        match_id, evidence_sha256, mch_record_id, relation_id, 'birth_date',
        CAST(mch_birth_date AS VARCHAR), CAST(population_birth_date AS VARCHAR),
        mch_birth_date IS NOT NULL, population_birth_date IS NOT NULL,
        CASE WHEN ABS(mch_birth_date - population_birth_date) <= $birth_date_days THEN 'mch_prevails' ELSE 'date_too_far' END,
        id_date_digits, mch_date_digits, population_date_digits
    FROM both_sides
    UNION ALL
    -- 0 and 9 are sexes not stated.
    SELECT
        match_id, evidence_sha256, mch_record_id, relation_id, 'sex', mch_sex_code, population_sex_code,
        COALESCE(mch_sex_code IN ('1', '2'), FALSE), COALESCE(population_sex_code IN ('1', '2'), FALSE),
        'mch_prevails', id_sex_code, mch_sex_code, population_sex_code
    FROM both_sides
    UNION ALL
    SELECT
        match_id, evidence_sha256, mch_record_id, relation_id, 'weight', CAST(mch_weight_g AS VARCHAR), NULL,
        mch_weight_g IS NOT NULL, FALSE, 'mch_prevails', NULL, NULL, NULL
    FROM both_sides
    UNION ALL
    SELECT
        match_id, evidence_sha256, mch_record_id, relation_id, 'parity', CAST(mch_parity AS VARCHAR), CAST(population_parity AS VARCHAR),
        mch_parity IS NOT NULL, population_parity IS NOT NULL, 'parity_reviewed', NULL, NULL, NULL
    FROM both_sides
    UNION ALL
    SELECT
        match_id, evidence_sha256, mch_record_id, relation_id, 'certificate', mch_certificate_number, population_certificate_number,
        mch_certificate_number IS NOT NULL, population_certificate_number IS NOT NULL,
        CASE WHEN LIST_CONTAINS(certificate_numbers, population_certificate_number) THEN 'certificate_replaced'
            ELSE 'certificate_of_another' END,
        NULL, NULL, NULL
    FROM both_sides
),
judged AS (
    SELECT
        said.*,
        CASE
            WHEN NOT has_mch AND NOT has_population THEN 'not_stated'
            WHEN NOT has_population THEN 'only_mch_states'
            WHEN NOT has_mch THEN 'only_population_states'
            WHEN mch_value = population_value THEN 'agreed'
            -- A person who looked at exactly this has said which side is right.
            WHEN ruling.winner_code = 'mch' THEN 'ruled_for_mch'
            WHEN ruling.winner_code = 'population' THEN 'ruled_for_population'
            ELSE rule_if_differing
        END AS rule_code
    FROM said
    LEFT JOIN ruling USING (match_id, evidence_sha256, field_name)
),
survived AS (
    SELECT
        field_rule.place,
        judged.match_id,
        judged.field_name,
        judged.mch_record_id,
        judged.relation_id,
        judged.mch_value,
        judged.population_value,
        judged.rule_code,
        survival_rule.winner_code,
        CASE
            WHEN survival_rule.winner_code = 'mch' THEN judged.mch_value
            WHEN survival_rule.winner_code IN ('population', 'both') THEN judged.population_value
            -- Undecided: what the population database has stays until a person decides.
            ELSE COALESCE(judged.population_value, judged.mch_value)
        END AS surviving_value,
        COALESCE(
            CASE
                WHEN survival_rule.winner_code = 'mch' THEN 'mch_birth:' || judged.mch_record_id
                WHEN judged.population_value IS NOT NULL THEN 'family_child:' || CAST(judged.relation_id AS VARCHAR)
            END,
            CASE WHEN judged.mch_value IS NOT NULL THEN 'mch_birth:' || judged.mch_record_id END
        ) AS source,
        survival_rule.is_conflict,
        survival_rule.is_ruled,
        CASE
            WHEN NOT survival_rule.is_conflict OR judged.witness_value IS NULL THEN NULL
            WHEN judged.witness_value = judged.population_testimony THEN 'population'
            WHEN judged.witness_value = judged.mch_testimony THEN 'mch'
        END AS witness_code,
        CASE
            WHEN judged.mch_record_id IS NULL OR judged.relation_id IS NULL THEN NULL
            WHEN survival_rule.winner_code = 'mch' AND field_rule.is_in_population THEN 'population'
            WHEN judged.rule_code IN ('only_population_states', 'ruled_for_population') THEN 'mch'
        END AS proposed_to
    FROM judged
    JOIN survival_rule USING (rule_code)
    JOIN field_rule USING (field_name)
)
SELECT
    * EXCLUDE (place),
    -- What a receiver is asked: an answer holds while this is as it was.
    CASE WHEN proposed_to IS NOT NULL THEN SHA256(
        COALESCE(mch_record_id, '-') || '|' || COALESCE(CAST(relation_id AS VARCHAR), '-') || '|'
        || COALESCE(mch_value, '-') || '|' || COALESCE(population_value, '-') || '|' || COALESCE(surviving_value, '-')
    ) END AS proposal_sha256
FROM survived
ORDER BY match_id, place
