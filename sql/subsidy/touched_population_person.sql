-- subsidy.touched_population_person: touched persons, and everyone who is or was married to one of them.
SELECT every_population_person.*
FROM every_population_person
WHERE person_id IN (
    SELECT person_id FROM touched
    UNION ALL
    SELECT wife_person_id FROM marriage
    UNION ALL
    SELECT husband_person_id FROM marriage
)
