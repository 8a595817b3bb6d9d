-- subsidy.decided_person: which of some persons one programme has decided about.
SELECT asked.person_id
FROM asked
WHERE asked.person_id IN (SELECT decision.person_id FROM decision)
