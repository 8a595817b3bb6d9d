-- subsidy.touched_family_child: the child rows of touched persons.
SELECT every_family_child.*
FROM every_family_child
WHERE mother_person_id IN (SELECT person_id FROM touched) OR father_person_id IN (SELECT person_id FROM touched)
