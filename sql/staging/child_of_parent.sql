-- One row per accepted child who names one of some persons (`parent`) as mother or father.
SELECT accepted.relation_id
FROM accepted
WHERE
    accepted.mother_person_id IN (SELECT person_id FROM parent)
    OR accepted.father_person_id IN (SELECT person_id FROM parent)
