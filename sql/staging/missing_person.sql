-- staging.missing_person: one row per person whom a conformed child names as a parent and who was not received.
SELECT named.person_id
FROM (
    SELECT mother_person_id AS person_id FROM conformed
    UNION
    SELECT father_person_id AS person_id FROM conformed
) AS named
LEFT JOIN received_person ON received_person.person_id = named.person_id
WHERE named.person_id IS NOT NULL AND received_person.person_id IS NULL
