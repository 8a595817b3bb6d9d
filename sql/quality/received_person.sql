-- quality.received_person: one row per person received for the date, accepted or quarantined, who is named as
-- a parent. Others are left out, so that the whole city is never held at once.
WITH named AS (
    SELECT mother_person_id AS person_id FROM conformed WHERE mother_person_id IS NOT NULL
    UNION
    SELECT father_person_id AS person_id FROM conformed WHERE father_person_id IS NOT NULL
)
SELECT person_id FROM accepted_person WHERE person_id IN (SELECT person_id FROM named)
UNION
SELECT person_id FROM quarantined_person WHERE person_id IN (SELECT person_id FROM named)
