-- births.candidate_pair: one row per pair that met, with what both sides say of what is compared.
WITH child_name_share AS (
    SELECT name, share FROM name_share WHERE column_name = 'child_name'
),
mother_name_share AS (
    SELECT name, share FROM name_share WHERE column_name = 'mother_name'
),
father_name_share AS (
    SELECT name, share FROM name_share WHERE column_name = 'father_name'
)
SELECT
    met_pair.birth_id AS mch_record_id,
    CAST(met_pair.child_id AS BIGINT) AS relation_id,
    -- Brothers and sisters of one delivery share all but these: only what states both alike may be told from them.
    (NOT birth.is_multiple AND NOT child.is_multiple)
        OR (birth.plural_order = child.plural_order AND COALESCE(birth.sex_code = child.sex_code, FALSE)) AS is_told_apart,
    birth.certificate_numbers AS certificate_numbers_l, child.certificate_numbers AS certificate_numbers_r,
    birth.child_name AS child_name_l, child.child_name AS child_name_r,
    birth.birth_date AS birth_date_l, child.birth_date AS birth_date_r,
    birth.sex_code AS sex_code_l, child.sex_code AS sex_code_r,
    birth.plural_order AS plural_order_l, child.plural_order AS plural_order_r,
    birth.parity AS parity_l, child.parity AS parity_r,
    birth.mother_document AS mother_document_l, child.mother_document AS mother_document_r,
    birth.mother_name AS mother_name_l, child.mother_name AS mother_name_r,
    birth.mother_birth_date AS mother_birth_date_l, child.mother_birth_date AS mother_birth_date_r,
    birth.mother_phone AS mother_phone_l, child.mother_phone AS mother_phone_r,
    birth.mother_division AS mother_division_l, child.mother_division AS mother_division_r,
    birth.father_document AS father_document_l, child.father_document AS father_document_r,
    birth.father_name AS father_name_l, child.father_name AS father_name_r,
    birth.father_birth_date AS father_birth_date_l, child.father_birth_date AS father_birth_date_r,
    child_name_share.share AS child_name_share,
    mother_name_share.share AS mother_name_share,
    father_name_share.share AS father_name_share
FROM met_pair
JOIN open_birth AS birth ON birth.side_id = met_pair.birth_id
JOIN open_child AS child ON child.side_id = met_pair.child_id
LEFT JOIN child_name_share ON child_name_share.name = birth.child_name
LEFT JOIN mother_name_share ON mother_name_share.name = birth.mother_name
LEFT JOIN father_name_share ON father_name_share.name = birth.father_name
