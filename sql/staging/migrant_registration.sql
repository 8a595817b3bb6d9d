-- staging.migrant_registration, rows of one drop: one row per received registration, conformed. Columns that are not
-- named here pass from `typed` unchanged; retired codes of divisions stay readable in the landing.
SELECT
    CASE WHEN typed.id_type_code = '01' THEN resident_id_18(typed.id_number) ELSE typed.id_number END
        AS id_number,
    CASE WHEN typed.spouse_id_type_code = '01' THEN resident_id_18(typed.spouse_id_number) ELSE typed.spouse_id_number END
        AS spouse_id_number,
    COALESCE(typed.id_type_code = '01' AND is_old_resident_id(typed.id_number), FALSE)
        OR COALESCE(typed.spouse_id_type_code = '01' AND is_old_resident_id(typed.spouse_id_number), FALSE)
        AS has_15_digits,
    COALESCE(hukou.successor_code, typed.hukou_division_code) AS hukou_division_code,
    COALESCE(residence.successor_code, typed.residence_division_code) AS residence_division_code,
    hukou.retired_code IS NOT NULL
        OR residence.retired_code IS NOT NULL
        AS has_retired_division
FROM typed
LEFT JOIN retired_division AS hukou ON hukou.retired_code = typed.hukou_division_code
LEFT JOIN retired_division AS residence ON residence.retired_code = typed.residence_division_code
