-- subsidy.touched_marriage: the marriage rows of touched persons.
SELECT every_marriage.*
FROM every_marriage
WHERE husband_person_id IN (SELECT person_id FROM touched) OR wife_person_id IN (SELECT person_id FROM touched)
