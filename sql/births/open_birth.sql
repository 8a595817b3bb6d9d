-- births.open_birth: one row per living birth that no exact pass linked, with what both sides may say of a child.
--
-- A reissue may leave out what the first record said: each value is the latest that is stated. A child without a name
-- is called after the mother, which tells nothing about the child.
WITH open AS (
    SELECT folded_birth.*
    FROM folded_birth
    WHERE is_living
        AND mch_record_id NOT IN (SELECT mch_record_id FROM exact_link WHERE pass_name IS NOT NULL)
),
member AS (
    SELECT mch_record_id, mch_record_id AS record_id, 0 AS age FROM open
    UNION ALL
    SELECT mch_record_id, UNNEST(folded_record_ids), 1 FROM open WHERE LEN(folded_record_ids) > 0
),
stated AS (
    SELECT
        member.mch_record_id,
        (age, member.record_id) AS turn,
        NULLIF(TRIM(mch_birth.mother_id_number), '') AS mother_document,
        mch_birth.mother_name,
        mch_birth.mother_birth_date,
        NULLIF(TRIM(mch_birth.mother_phone), '') AS mother_phone,
        COALESCE(mch_birth.mother_residence_division_code, mch_birth.mother_hukou_division_code) AS mother_division,
        NULLIF(TRIM(mch_birth.father_id_number), '') AS father_document,
        mch_birth.father_name,
        mch_birth.father_birth_date,
        CASE WHEN NOT is_provisional_name(mch_birth.child_name) THEN mch_birth.child_name END AS child_name,
        mch_birth.plural_count
    FROM member
    JOIN mch_birth USING (record_id)
),
latest AS (
    SELECT
        mch_record_id,
        ARG_MIN(resident_id_18(mother_document), turn) FILTER (mother_document IS NOT NULL) AS mother_document,
        ARG_MIN(mother_name, turn) FILTER (mother_name IS NOT NULL) AS mother_name,
        ARG_MIN(mother_birth_date, turn) FILTER (mother_birth_date IS NOT NULL) AS mother_birth_date,
        ARG_MIN(mother_phone, turn) FILTER (mother_phone IS NOT NULL) AS mother_phone,
        ARG_MIN(mother_division, turn) FILTER (mother_division IS NOT NULL) AS mother_division,
        ARG_MIN(resident_id_18(father_document), turn) FILTER (father_document IS NOT NULL) AS father_document,
        ARG_MIN(father_name, turn) FILTER (father_name IS NOT NULL) AS father_name,
        ARG_MIN(father_birth_date, turn) FILTER (father_birth_date IS NOT NULL) AS father_birth_date,
        ARG_MIN(child_name, turn) FILTER (child_name IS NOT NULL) AS child_name,
        MAX(plural_count) AS plural_count
    FROM stated
    GROUP BY mch_record_id
)
SELECT
    mch_record_id AS side_id,
    open.certificate_numbers,
    latest.child_name,
    open.birth_date,
    CASE WHEN open.sex_code IN ('1', '2') THEN open.sex_code END AS sex_code,
    open.plural_order,
    open.plural_order > 1 OR COALESCE(latest.plural_count > 1, FALSE) AS is_multiple,
    open.parity,
    latest.mother_document,
    latest.mother_name,
    latest.mother_birth_date,
    latest.mother_phone,
    latest.mother_division,
    latest.father_document,
    latest.father_name,
    latest.father_birth_date
FROM open
JOIN latest USING (mch_record_id)
ORDER BY side_id
