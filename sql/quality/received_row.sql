-- quality.received_row: one row per row of a person received for the date, accepted or quarantined. Who reads it asks for
-- few: the engine looks through these rows and holds those who are asked for, never the whole city.
SELECT person_id FROM accepted_person
UNION ALL
SELECT person_id FROM quarantined_person
