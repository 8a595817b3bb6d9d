-- One row per accepted person who has a resident ID that some persons had, accepted (`numbered`) or not (`quarantined`),
-- or have (`becomes`).
WITH asked AS (
    SELECT id_number FROM numbered
    UNION
    SELECT id_number FROM quarantined WHERE id_type_code = '01'
    UNION
    SELECT id_number FROM becomes WHERE id_type_code = '01'
)
SELECT accepted.person_id
FROM accepted
WHERE
    accepted.id_type_code = '01'
    AND accepted.id_number IN (SELECT id_number FROM asked WHERE id_number IS NOT NULL)
