-- One more copy of the city's children, of the copied persons; their own identity numbers stay out of it.
SELECT * REPLACE (
    relation_id + CAST($tile AS BIGINT) * 1000000000000 AS relation_id,
    '1100' || $tile || SUBSTR(mother_person_id, 7) AS mother_person_id,
    '1100' || $tile || SUBSTR(father_person_id, 7) AS father_person_id,
    '1100' || $tile || SUBSTR(child_person_id, 7) AS child_person_id,
    CAST(NULL AS VARCHAR) AS child_id_number,
    CHR(64 + CAST($tile AS INTEGER)) || SUBSTR(birth_cert_no, 2) AS birth_cert_no
)
FROM family_child
