-- births.birth_match: one row per birth known to either side; what was found, its situations, and the division that acts.
WITH differing AS (
    SELECT match_id, LIST(field_name ORDER BY place) AS conflict_fields,
        LIST(field_name ORDER BY place) FILTER (winner_code = 'review') AS review_fields,
        LIST(field_name ORDER BY place) FILTER (winner_code <> 'review' AND NOT is_ruled) AS prevailing_fields
    FROM birth_field
    JOIN field_rule USING (field_name)
    WHERE is_conflict
    GROUP BY match_id
),
kept AS (
    SELECT
        match_id,
        MAX(surviving_value) FILTER (field_name = 'parity') AS parity,
        LIST(field_name ORDER BY place) FILTER (winner_code = 'none') AS missing_fields
    FROM birth_field
    JOIN field_rule USING (field_name)
    GROUP BY match_id
),
stated_document AS (
    SELECT mother_id_number AS id_number FROM both_sides
    UNION
    SELECT father_id_number FROM both_sides
),
known_document AS (
    SELECT TRIM(id_number) AS id_number, MIN(person_id) AS person_id
    FROM population_person
    WHERE TRIM(id_number) IN (SELECT id_number FROM stated_document WHERE id_number <> '')
    GROUP BY TRIM(id_number)
),
found AS (
    SELECT
        both_sides.* EXCLUDE (mother_person_id),
        COALESCE(mch_birth_date, population_birth_date) AS birth_date,
        COALESCE(mch_sex_code, population_sex_code) AS sex_code,
        COALESCE(conflict_fields, []) AS conflict_fields,
        kept.parity,
        COALESCE(missing_fields, []) AS missing_fields,
        COALESCE(review_fields, []) AS review_fields,
        COALESCE(prevailing_fields, []) AS prevailing_fields,
        CASE
            WHEN relation_id IS NULL THEN 'only_mch'
            WHEN mch_record_id IS NULL THEN 'only_population'
            WHEN LEN(conflict_fields) > 0 THEN 'conflict'
            ELSE 'linked'
        END AS class_code,
        mother_person_id AS child_mother_id,
        mother.person_id AS mch_mother_id,
        father.person_id AS mch_father_id,
        COALESCE(mother_person_id, mother.person_id) AS mother_person_id,
        mother.person_id IS NOT NULL
            OR COALESCE(mother_hukou_division_code LIKE '11%', FALSE)
            OR COALESCE(mother_residence_division_code LIKE '11%', FALSE) AS is_beijing_mother
    FROM both_sides
    LEFT JOIN differing USING (match_id)
    LEFT JOIN kept USING (match_id)
    LEFT JOIN known_document AS mother ON mother.id_number = both_sides.mother_id_number
    LEFT JOIN known_document AS father ON father.id_number = both_sides.father_id_number
),
parent AS (
    -- Whom MCH calls a parent and the population database does not: of all others the cases are reviewed by the clauses.
    SELECT match_id, mch_mother_id AS person_id, 1 AS preference FROM found
    WHERE mch_mother_id IS NOT NULL AND mch_mother_id IS DISTINCT FROM child_mother_id
    UNION ALL
    SELECT match_id, mch_father_id, 2 FROM found
    WHERE mch_father_id IS NOT NULL AND mch_father_id IS DISTINCT FROM father_person_id
),
benefiting AS (
    SELECT
        match_id,
        LIST(DISTINCT beneficiary.programme_code ORDER BY beneficiary.programme_code) AS programme_codes,
        ARG_MIN(beneficiary.division_code, (preference, beneficiary.programme_code)) AS beneficiary_division_code
    FROM parent
    JOIN beneficiary USING (person_id)
    GROUP BY match_id
),
finding AS (
    SELECT
        found.*,
        COALESCE(programme_codes, []) AS programme_codes,
        beneficiary_division_code,
        class_code = 'only_mch' AND NOT is_beijing_mother AS is_from_elsewhere,
        -- What a child's papers tell of where it was born: digits 1-2 of a certificate are the province.
        CASE
            WHEN class_code <> 'only_population' THEN NULL
            WHEN REGEXP_MATCHES(population_certificate_number, '^[A-Z]11[0-9]{7}$') THEN 'certified_here'
            WHEN REGEXP_MATCHES(population_certificate_number, '^[A-Z][0-9]{9}$') THEN 'certified_elsewhere'
            WHEN child_id_type_code IN ('03', '06', '07', '11', '12') THEN 'documented_abroad'
            ELSE 'uncertified'
        END AS absence_code
    FROM found
    LEFT JOIN benefiting USING (match_id)
),
resident AS (
    SELECT person_id, residence_division_code, hukou_division_code
    FROM population_person
    WHERE person_id IN (
        SELECT mother_person_id FROM finding
        UNION SELECT child_person_id FROM finding
        UNION SELECT father_person_id FROM finding
    )
),
place AS (
    -- Where somebody can act, the best first. A mother from elsewhere is looked after where she gave birth.
    SELECT
        match_id,
        UNNEST(
            CASE WHEN is_from_elsewhere THEN []
            ELSE [
                mother.residence_division_code, mother_residence_division_code,
                mother.hukou_division_code, mother_hukou_division_code,
                child.residence_division_code, father.residence_division_code
            ] END || [SUBSTR(birth_division_code, 1, 6), '110000000000']
        ) AS received,
        UNNEST(RANGE(8)) AS preference
    FROM finding
    LEFT JOIN resident AS mother ON mother.person_id = finding.mother_person_id
    LEFT JOIN resident AS child ON child.person_id = finding.child_person_id
    LEFT JOIN resident AS father ON father.person_id = finding.father_person_id
),
received_code AS (
    SELECT DISTINCT received FROM place WHERE received IS NOT NULL
    UNION
    SELECT SUBSTR(birth_division_code, 1, 6) FROM finding WHERE birth_division_code IS NOT NULL
),
upper_code AS (
    -- A retired code is answered for by its successor, one that is on no list by the town or district above it.
    SELECT received, 1 AS preference, COALESCE(successor_code, RPAD(received, 12, '0')) AS division_code
    FROM received_code
    LEFT JOIN retired_division ON retired_code = RPAD(received, 12, '0')
    UNION ALL
    SELECT received, 2, SUBSTR(received, 1, 9) || '000' FROM received_code WHERE LENGTH(received) = 12
    UNION ALL
    SELECT received, 3, SUBSTR(received, 1, 6) || '000000' FROM received_code WHERE LENGTH(received) = 12
),
known_code AS (
    SELECT received, ARG_MIN(division, preference) AS division
    FROM upper_code
    JOIN division USING (division_code)
    GROUP BY received
),
responsible AS (
    SELECT match_id, ARG_MIN(known_code.division, preference) AS division
    FROM place
    JOIN known_code USING (received)
    GROUP BY match_id
)
SELECT
    match_id, evidence_sha256, class_code, pass_name, mch_record_id, folded_record_ids, relation_id, not_living_record_id,
    conflict_fields, review_fields, prevailing_fields,
    -- Who acts on which of them: etl/births/situations.py.
    LIST_FILTER([
        CASE WHEN is_asked THEN 'same_child' END,
        CASE WHEN is_waiting THEN NULL
            WHEN is_from_elsewhere THEN 'mother_from_elsewhere'
            WHEN class_code = 'only_mch' THEN 'missing_in_population' END,
        CASE WHEN class_code <> 'only_population' THEN NULL
            WHEN not_living_record_id IS NOT NULL THEN CASE WHEN is_alive THEN 'not_living' END
            WHEN is_waiting THEN NULL
            WHEN absence_code = 'certified_elsewhere' THEN 'born_elsewhere'
            ELSE 'missing_in_mch' END,
        CASE WHEN LEN(prevailing_fields) > 0 THEN 'conflict' END,
        CASE WHEN LEN(review_fields) > 0 THEN 'review' END,
        CASE WHEN report_delay_code IN ('late', 'very_late') THEN report_delay_code END,
        CASE WHEN is_reported_twice THEN 'reported_twice' END,
        CASE WHEN is_reissued THEN 'reissued' END,
        CASE WHEN plural_count > 1 THEN 'multiple' END,
        CASE WHEN relation_id IS NOT NULL AND is_alive AND NOT has_mch_name AND NOT has_population_name
            AND CAST($business_date AS DATE) - birth_date > $naming_days THEN 'unnamed' END,
        CASE WHEN LEN(programme_codes) > 0 THEN 'of_beneficiary' END
    ], lambda situation: situation IS NOT NULL) AS situation_codes,
    responsible.division.division_code AS division_code, responsible.division.level_code AS level_code,
    COALESCE(hospital.division.division_code, '110000000000') AS birth_district_code,
    beneficiary_division_code, programme_codes,
    is_ambiguous, is_from_elsewhere, absence_code,
    birth_date, sex_code, parity, missing_fields, report_delay_code
FROM finding
JOIN responsible USING (match_id)
LEFT JOIN known_code AS hospital ON hospital.received = SUBSTR(birth_division_code, 1, 6)
ORDER BY match_id
