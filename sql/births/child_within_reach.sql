-- births.child_within_reach: one row per row of family_child that a birth of MCH may be, or that is a finding without one,
-- with the columns that births ask for; all nullable but relation_id.
--
-- A rule links only who was born in the year of a birth or a day beside it, who states a certificate of one, or of whom a
-- person has said so; findings without a birth are of the year of the business date. The many others are grown up, and
-- whose date is missing is linked by certificate or word alone.
WITH reach AS (
    SELECT DATE_TRUNC('year', MIN(day)) AS since
    FROM (
        SELECT birth_date - 1 AS day FROM folded_birth
        UNION ALL
        SELECT $business_date
    )
),
certificate AS (
    SELECT UNNEST(certificate_numbers) AS certificate_number FROM folded_birth
)
SELECT
    relation_id, mother_person_id, father_person_id, child_person_id, child_name, child_birth_date, child_sex_code,
    child_id_type_code, child_id_number, birth_certificate_number, parity, plural_count, plural_order, adopted_date, is_alive
FROM family_child
WHERE child_birth_date >= (SELECT since FROM reach)
    OR TRIM(birth_certificate_number) IN (SELECT certificate_number FROM certificate)
    OR relation_id IN (SELECT relation_id FROM pair_verdict)
