-- Facts about conformed children that their rules speak of: one row per row of `conformed`.
-- A parent whose own row went to quarantine was still received: the child is no orphan.
SELECT
    conformed.*,
    mother.person_id IS NOT NULL AS is_mother_received,
    father.person_id IS NOT NULL AS is_father_received
FROM conformed
LEFT JOIN received_person AS mother ON mother.person_id = conformed.mother_person_id
LEFT JOIN received_person AS father ON father.person_id = conformed.father_person_id
