-- One row per accepted person who is among some persons (`asked`).
SELECT accepted.person_id
FROM accepted
WHERE accepted.person_id IN (SELECT person_id FROM asked)
