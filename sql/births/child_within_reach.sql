-- births.child_within_reach: the rows of family_child that a birth of MCH may be, or that are findings without one.
--
-- A rule links only who was born in the year of a birth or a day beside it, who states a certificate of one, or of whom a
-- person has said so; findings without a birth are of the year of the business date. The many others are grown up.
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
SELECT *
FROM family_child
WHERE child_birth_date >= (SELECT since FROM reach)
    OR child_birth_date IS NULL
    OR TRIM(birth_certificate_number) IN (SELECT certificate_number FROM certificate)
    OR relation_id IN (SELECT relation_id FROM pair_verdict)
