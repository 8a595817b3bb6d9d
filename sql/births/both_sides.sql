-- births.both_sides: one row per birth that either side knows, with what each says of it.
--
-- A birth that did not live is on this list only by the child that the population database has for it.
WITH linked_pair AS (
    SELECT mch_record_id, relation_id, pass_name FROM link WHERE pass_name IS NOT NULL
),
folded_record AS (
    SELECT mch_record_id, UNNEST(LIST_PREPEND(mch_record_id, folded_record_ids)) AS record_id FROM folded_birth
),
issue AS (
    SELECT
        folded_record.mch_record_id,
        -- The record that speaks for the birth comes first, then the latest issue.
        (
            folded_record.record_id = folded_record.mch_record_id,
            COALESCE(mch_birth.issue_date, DATE '0001-01-01'),
            folded_record.record_id
        ) AS newness,
        mch_birth.child_name,
        mch_birth.child_name IS NOT NULL AND NOT is_provisional_name(mch_birth.child_name) AS has_name,
        mch_birth.weight_g,
        mch_birth.plural_count,
        NULLIF(TRIM(mch_birth.birth_certificate_number), '') AS certificate_number,
        NULLIF(TRIM(mch_birth.father_id_number), '') AS father_id_number,
        COALESCE(mch_birth.issue_kind_code, '1') = '1'
            AND NULLIF(NULLIF(TRIM(mch_birth.previous_certificate_number), ''), TRIM(mch_birth.birth_certificate_number))
            IS NULL AS is_first_issue
    FROM folded_record
    JOIN mch_birth ON mch_birth.record_id = folded_record.record_id
),
said_by_mch AS (
    -- What the newest issue leaves out an older one may still say; a real name never gives way to a provisional one.
    SELECT
        mch_record_id,
        COALESCE(
            ARG_MAX(child_name, newness) FILTER (has_name), ARG_MAX(child_name, newness) FILTER (child_name IS NOT NULL)
        ) AS child_name,
        BOOL_OR(has_name) AS has_name,
        ARG_MAX(weight_g, newness) FILTER (weight_g IS NOT NULL) AS weight_g,
        ARG_MAX(plural_count, newness) FILTER (plural_count IS NOT NULL) AS plural_count,
        ARG_MAX(certificate_number, newness) FILTER (certificate_number IS NOT NULL) AS certificate_number,
        ARG_MAX(father_id_number, newness) FILTER (father_id_number IS NOT NULL) AS father_id_number,
        COUNT(*) FILTER (is_first_issue) > 1 AS is_reported_twice,
        BOOL_OR(NOT is_first_issue) AS is_reissued
    FROM issue
    GROUP BY mch_record_id
),
birth AS (
    SELECT
        folded_birth.*,
        said_by_mch.* EXCLUDE (mch_record_id),
        link.mch_record_id IS NOT NULL AND link.band_code IS NULL AS is_ambiguous,
        -- Who waits for a person's word is not taken for missing meanwhile.
        COALESCE(link.band_code = 'review', FALSE) AS is_waiting,
        folded_birth.mch_record_id IN (SELECT mch_record_id FROM link_review) AS is_asked
    FROM folded_birth
    JOIN said_by_mch USING (mch_record_id)
    LEFT JOIN link ON link.mch_record_id = folded_birth.mch_record_id AND link.pass_name IS NULL
    WHERE is_living
),
child AS (
    SELECT
        population_child.*,
        NULLIF(TRIM(family_child.child_name), '') AS child_name,
        family_child.child_name IS NOT NULL AND NOT is_provisional_name(family_child.child_name) AS has_name,
        family_child.child_id_type_code,
        CASE WHEN family_child.child_id_type_code = '01' AND is_resident_id(family_child.child_id_number)
            THEN family_child.child_id_number END AS resident_id,
        family_child.plural_count,
        family_child.is_alive,
        link.relation_id IS NOT NULL AND link.band_code IS NULL AS is_ambiguous,
        COALESCE(link.band_code = 'review', FALSE) AS is_waiting,
        population_child.relation_id IN (SELECT relation_id FROM link_review) AS is_asked
    FROM population_child
    JOIN family_child USING (relation_id)
    LEFT JOIN link ON link.relation_id = population_child.relation_id AND link.pass_name IS NULL
)
SELECT
    SUBSTR(
        SHA256('birth:' || COALESCE(birth.first_record_id, '') || ':' || COALESCE(CAST(child.relation_id AS VARCHAR), '')), 1, 32
    ) AS match_id,
    -- What an answer of a person is about: it holds while all of this is as it was.
    SHA256(ARRAY_TO_STRING([
        COALESCE(birth.mch_record_id, '-'), COALESCE(ARRAY_TO_STRING(birth.folded_record_ids, ','), '-'),
        COALESCE(CAST(child.relation_id AS VARCHAR), '-'), COALESCE(not_living.mch_record_id, '-'),
        COALESCE(birth.child_name, '-'), COALESCE(child.child_name, '-'),
        COALESCE(CAST(birth.birth_date AS VARCHAR), '-'), COALESCE(CAST(child.birth_date AS VARCHAR), '-'),
        COALESCE(birth.sex_code, '-'), COALESCE(child.sex_code, '-'),
        COALESCE(CAST(birth.parity AS VARCHAR), '-'), COALESCE(CAST(child.parity AS VARCHAR), '-'),
        COALESCE(birth.certificate_number, '-'), COALESCE(child.certificate_number, '-'),
        COALESCE(CAST(child.is_alive AS VARCHAR), '-'), COALESCE(birth.report_delay_code, '-')
    ], '|')) AS evidence_sha256,
    birth.mch_record_id, child.relation_id, linked_pair.pass_name,
    COALESCE(birth.folded_record_ids, []) AS folded_record_ids,
    COALESCE(birth.is_ambiguous, FALSE) OR COALESCE(child.is_ambiguous, FALSE) AS is_ambiguous,
    COALESCE(birth.is_waiting, FALSE) OR COALESCE(child.is_waiting, FALSE) AS is_waiting,
    COALESCE(birth.is_asked, FALSE) OR COALESCE(child.is_asked, FALSE) AS is_asked,
    birth.report_delay_code, birth.is_reported_twice, birth.is_reissued, birth.certificate_numbers,
    birth.mother_id_number, birth.father_id_number,
    birth.mother_residence_division_code, birth.mother_hukou_division_code, birth.birth_division_code,
    child.mother_person_id, child.father_person_id, child.child_person_id, child.is_alive, child.child_id_type_code,
    not_living.mch_record_id AS not_living_record_id,
    birth.child_name AS mch_name, child.child_name AS population_name,
    COALESCE(birth.has_name, FALSE) AS has_mch_name, COALESCE(child.has_name, FALSE) AS has_population_name,
    birth.birth_date AS mch_birth_date, child.birth_date AS population_birth_date,
    birth.sex_code AS mch_sex_code, child.sex_code AS population_sex_code,
    birth.parity AS mch_parity, child.parity AS population_parity,
    birth.certificate_number AS mch_certificate_number, child.certificate_number AS population_certificate_number,
    birth.weight_g AS mch_weight_g,
    GREATEST(birth.plural_count, child.plural_count, birth.plural_order, child.plural_order) AS plural_count,
    -- The resident ID was issued on other papers: whom of two it agrees with.
    CASE WHEN child.resident_id IS NOT NULL THEN SUBSTR(child.resident_id, 7, 8) END AS id_date_digits,
    date_digits(birth.birth_date) AS mch_date_digits, date_digits(child.birth_date) AS population_date_digits,
    CASE WHEN child.resident_id IS NOT NULL THEN resident_id_sex(child.resident_id) END AS id_sex_code
FROM birth
LEFT JOIN linked_pair USING (mch_record_id)
FULL JOIN child ON child.relation_id = linked_pair.relation_id
LEFT JOIN not_living_link AS not_living
    ON not_living.relation_id = child.relation_id AND not_living.pass_name IS NOT NULL AND birth.mch_record_id IS NULL
-- Children without a record are findings only if born in the year whose records we hold.
WHERE birth.mch_record_id IS NOT NULL
    OR child.birth_date BETWEEN DATE_TRUNC('year', CAST($business_date AS DATE)) AND CAST($business_date AS DATE)
ORDER BY match_id
