-- births.pair_evidence: one row per asked pair with a digest of what both sides say that tells one child from another.
--
-- Where the mother lives and her telephone are left out: people move, and that says nothing anew of a birth.
WITH asked_birth AS (
    SELECT mch_record_id, LIST_PREPEND(mch_record_id, folded_record_ids) AS record_ids, is_living
    FROM folded_birth
    WHERE mch_record_id IN (SELECT mch_record_id FROM pair)
),
member AS (
    SELECT mch_record_id, UNNEST(record_ids) AS record_id FROM asked_birth
),
said_by_mch AS (
    SELECT
        member.mch_record_id,
        LIST(ARRAY_TO_STRING([
            record_id,
            COALESCE(TRIM(mch_birth.birth_certificate_number), ''), COALESCE(TRIM(mch_birth.previous_certificate_number), ''),
            COALESCE(mch_birth.child_name, ''), COALESCE(CAST(CAST(mch_birth.born_at AS TIMESTAMP) AS VARCHAR), ''),
            COALESCE(mch_birth.child_sex_code, ''), COALESCE(mch_birth.outcome_code, ''),
            COALESCE(CAST(mch_birth.plural_count AS VARCHAR), ''), COALESCE(CAST(mch_birth.plural_order AS VARCHAR), ''),
            COALESCE(CAST(mch_birth.parity AS VARCHAR), ''),
            COALESCE(TRIM(mch_birth.mother_id_number), ''), COALESCE(mch_birth.mother_name, ''),
            COALESCE(CAST(mch_birth.mother_birth_date AS VARCHAR), ''),
            COALESCE(TRIM(mch_birth.father_id_number), ''), COALESCE(mch_birth.father_name, ''),
            COALESCE(CAST(mch_birth.father_birth_date AS VARCHAR), '')
        ], '|') ORDER BY record_id) AS records
    FROM member
    JOIN mch_birth USING (record_id)
    GROUP BY member.mch_record_id
),
asked_child AS (
    SELECT * FROM population_child WHERE relation_id IN (SELECT relation_id FROM pair)
),
parent AS (
    SELECT person_id, COALESCE(TRIM(id_number), '') || '|' || COALESCE(name, '') || '|' || COALESCE(CAST(birth_date AS VARCHAR), '')
        AS told
    FROM population_person
    WHERE person_id IN (SELECT mother_person_id FROM asked_child UNION SELECT father_person_id FROM asked_child)
),
said_by_population AS (
    SELECT
        asked_child.relation_id,
        ARRAY_TO_STRING([
            COALESCE(asked_child.certificate_number, ''), COALESCE(family_child.child_name, ''),
            COALESCE(CAST(asked_child.birth_date AS VARCHAR), ''), COALESCE(asked_child.sex_code, ''),
            COALESCE(CAST(family_child.plural_count AS VARCHAR), ''), COALESCE(CAST(asked_child.plural_order AS VARCHAR), ''),
            COALESCE(CAST(asked_child.parity AS VARCHAR), ''),
            COALESCE(asked_child.mother_person_id, ''), COALESCE(mother.told, ''),
            COALESCE(asked_child.father_person_id, ''), COALESCE(father.told, '')
        ], '|') AS child
    FROM asked_child
    JOIN family_child ON family_child.relation_id = asked_child.relation_id
    LEFT JOIN parent AS mother ON mother.person_id = asked_child.mother_person_id
    LEFT JOIN parent AS father ON father.person_id = asked_child.father_person_id
)
SELECT
    pair.mch_record_id, pair.relation_id,
    SHA256(ARRAY_TO_STRING(LIST_APPEND(said_by_mch.records, said_by_population.child), CHR(10))) AS evidence_sha256
FROM pair
JOIN said_by_mch ON said_by_mch.mch_record_id = pair.mch_record_id
JOIN said_by_population ON said_by_population.relation_id = pair.relation_id
ORDER BY pair.mch_record_id, pair.relation_id
