-- staging.mch_birth, rows of one drop: one row per received record, conformed. Columns that are not named
-- here pass from `typed` unchanged; retired codes of the mother's divisions stay readable in the landing.
SELECT
    CASE WHEN typed.mother_id_type_code = '01' THEN resident_id_18(typed.mother_id_number) ELSE typed.mother_id_number END
        AS mother_id_number,
    typed.mother_id_type_code = '01' AND is_old_resident_id(typed.mother_id_number) AS has_15_digits,
    CASE WHEN typed.father_id_type_code = '01' THEN resident_id_18(typed.father_id_number) ELSE typed.father_id_number END
        AS father_id_number,
    COALESCE(hukou.successor_code, typed.mother_hukou_division_code) AS mother_hukou_division_code,
    COALESCE(residence.successor_code, typed.mother_residence_division_code) AS mother_residence_division_code,
    hukou.retired_code IS NOT NULL OR residence.retired_code IS NOT NULL AS has_retired_division
FROM typed
LEFT JOIN retired_division AS hukou ON hukou.retired_code = typed.mother_hukou_division_code
LEFT JOIN retired_division AS residence ON residence.retired_code = typed.mother_residence_division_code
