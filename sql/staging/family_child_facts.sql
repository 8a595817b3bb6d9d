-- Facts about conformed children that their rules speak of: one row per row of `conformed`.
-- A parent whose own row went to quarantine was still received: the child is no orphan.
SELECT
    conformed.*,
    conformed.mother_person_id IS NOT NULL AND mother.person_id IS NULL AS is_mother_received,
    conformed.father_person_id IS NOT NULL AND father.person_id IS NULL AS is_father_received
FROM conformed
LEFT JOIN missing_person AS mother ON mother.person_id = conformed.mother_person_id
LEFT JOIN missing_person AS father ON father.person_id = conformed.father_person_id
