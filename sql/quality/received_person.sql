-- quality.received_person: one row per person received for the date, accepted or quarantined, who is named as
-- a parent. Others are left out, so that the whole city is never held at once.
WITH named AS (
    SELECT mother_person_id AS person_id FROM conformed
    UNION
    SELECT father_person_id AS person_id FROM conformed
)
SELECT named.person_id
FROM named
WHERE
    named.person_id IN (SELECT person_id FROM accepted_person WHERE person_id IS NOT NULL)
    OR named.person_id IN (SELECT person_id FROM quarantined_person WHERE person_id IS NOT NULL)
