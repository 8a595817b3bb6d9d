-- One person in a hundred has moved: the address differs, and the source says when. PostgreSQL.
UPDATE population_person
SET residence_address = residence_address || '甲', source_updated_at = %(at)s
WHERE abs(hashtext(person_id)) %% 100 = 7
