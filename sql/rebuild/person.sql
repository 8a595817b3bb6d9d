-- rebuild.person: one row: persons of whom anything known or decided differs.
SELECT COUNT(*) AS persons
FROM (
    SELECT row_key AS person_id FROM differing_person
    UNION
    SELECT person_id FROM differing_decision
) AS person
