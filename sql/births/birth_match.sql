-- births.birth_match: one row per birth known to either side; what was found, and the division that acts.
WITH linked_pair AS (
    SELECT mch_record_id, relation_id, pass_name FROM link WHERE pass_name IS NOT NULL
),
birth AS (
    SELECT folded_birth.*, link.mch_record_id IS NOT NULL AS is_ambiguous
    FROM folded_birth
    LEFT JOIN link ON link.mch_record_id = folded_birth.mch_record_id AND link.pass_name IS NULL
    WHERE is_living
),
child AS (
    SELECT population_child.*, link.relation_id IS NOT NULL AS is_ambiguous
    FROM population_child
    LEFT JOIN link ON link.relation_id = population_child.relation_id AND link.pass_name IS NULL
),
both_sides AS (
    SELECT
        birth.mch_record_id, birth.first_record_id, birth.folded_record_ids, birth.report_delay_code,
        birth.mother_id_number, birth.mother_residence_division_code, birth.mother_hukou_division_code,
        birth.birth_division_code,
        child.relation_id, child.mother_person_id, child.father_person_id, child.child_person_id,
        linked_pair.pass_name,
        COALESCE(birth.birth_date, child.birth_date) AS birth_date,
        COALESCE(birth.sex_code, child.sex_code) AS sex_code,
        COALESCE(birth.is_ambiguous, FALSE) OR COALESCE(child.is_ambiguous, FALSE) AS is_ambiguous,
        -- A value that one side does not state differs from nothing; 0 and 9 are sexes not stated.
        LIST_FILTER([
            CASE WHEN birth.birth_date <> child.birth_date THEN 'birth_date' END,
            CASE WHEN birth.sex_code <> child.sex_code AND birth.sex_code IN ('1', '2')
                AND child.sex_code IN ('1', '2') THEN 'sex' END,
            CASE WHEN birth.parity <> child.parity THEN 'parity' END
        ], lambda field: field IS NOT NULL) AS conflict_fields
    FROM birth
    LEFT JOIN linked_pair USING (mch_record_id)
    FULL JOIN child ON child.relation_id = linked_pair.relation_id
    -- Children without a record are findings only if born in the year whose records we hold.
    WHERE birth.mch_record_id IS NOT NULL
        OR child.birth_date BETWEEN DATE_TRUNC('year', CAST($business_date AS DATE)) AND CAST($business_date AS DATE)
),
known_document AS (
    SELECT TRIM(id_number) AS id_number, MIN(person_id) AS person_id
    FROM population_person
    WHERE NULLIF(TRIM(id_number), '') IS NOT NULL
    GROUP BY TRIM(id_number)
),
finding AS (
    SELECT
        both_sides.* EXCLUDE (mother_person_id),
        SUBSTR(SHA256('birth:' || COALESCE(first_record_id, '') || ':' || COALESCE(CAST(relation_id AS VARCHAR), '')), 1, 32)
            AS match_id,
        CASE
            WHEN relation_id IS NULL THEN 'only_mch'
            WHEN mch_record_id IS NULL THEN 'only_population'
            WHEN LEN(conflict_fields) > 0 THEN 'conflict'
            ELSE 'linked'
        END AS class_code,
        COALESCE(mother_person_id, known_document.person_id) AS mother_person_id,
        known_document.person_id IS NOT NULL
            OR COALESCE(mother_hukou_division_code LIKE '11%', FALSE)
            OR COALESCE(mother_residence_division_code LIKE '11%', FALSE) AS is_beijing_mother
    FROM both_sides
    LEFT JOIN known_document ON known_document.id_number = both_sides.mother_id_number
),
place AS (
    -- Where somebody can act, the best first. A mother from elsewhere is looked after where she gave birth.
    SELECT
        match_id,
        UNNEST(
            CASE WHEN class_code = 'only_mch' AND NOT is_beijing_mother THEN []
            ELSE [
                mother.residence_division_code, mother_residence_division_code,
                mother.hukou_division_code, mother_hukou_division_code,
                child.residence_division_code, father.residence_division_code
            ] END || [SUBSTR(birth_division_code, 1, 6), '110000000000']
        ) AS received,
        UNNEST(RANGE(8)) AS preference
    FROM finding
    LEFT JOIN population_person AS mother ON mother.person_id = finding.mother_person_id
    LEFT JOIN population_person AS child ON child.person_id = finding.child_person_id
    LEFT JOIN population_person AS father ON father.person_id = finding.father_person_id
),
received_code AS (
    SELECT DISTINCT received FROM place WHERE received IS NOT NULL
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
    match_id, class_code, pass_name, mch_record_id, COALESCE(folded_record_ids, []) AS folded_record_ids, relation_id,
    COALESCE(conflict_fields, []) AS conflict_fields,
    responsible.division.division_code AS division_code, responsible.division.level_code AS level_code, is_ambiguous,
    class_code = 'only_mch' AND NOT is_beijing_mother AS is_from_elsewhere,
    birth_date, sex_code, report_delay_code
FROM finding
JOIN responsible USING (match_id)
ORDER BY match_id
