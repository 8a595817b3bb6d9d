-- One row per accepted person with a resident ID whose key is touched.
SELECT
    accepted.person_id,
    accepted.id_number
FROM accepted
WHERE
    accepted.id_type_code = '01'
    AND accepted.person_id IN (SELECT row_key FROM touched)
