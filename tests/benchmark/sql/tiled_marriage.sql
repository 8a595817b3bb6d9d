-- One more copy of the city's marriages, of the copied persons.
SELECT * REPLACE (
    marriage_id + CAST($tile AS BIGINT) * 1000000000000 AS marriage_id,
    '1100' || $tile || SUBSTR(husband_person_id, 7) AS husband_person_id,
    '1100' || $tile || SUBSTR(wife_person_id, 7) AS wife_person_id
)
FROM marriage
