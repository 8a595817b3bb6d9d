-- staging.birth_service, rows of one drop: one row per received registration, conformed. Columns that are not
-- named here pass from `typed` unchanged; retired codes of divisions stay readable in the landing.
SELECT
    CASE WHEN typed.wife_id_type_code = '01' THEN resident_id_18(typed.wife_id_number) ELSE typed.wife_id_number END
        AS wife_id_number,
    CASE WHEN typed.husband_id_type_code = '01' THEN resident_id_18(typed.husband_id_number) ELSE typed.husband_id_number END
        AS husband_id_number,
    COALESCE(typed.wife_id_type_code = '01' AND is_old_resident_id(typed.wife_id_number), FALSE)
        OR COALESCE(typed.husband_id_type_code = '01' AND is_old_resident_id(typed.husband_id_number), FALSE)
        AS has_15_digits,
    COALESCE(wife_hukou.successor_code, typed.wife_hukou_division_code) AS wife_hukou_division_code,
    COALESCE(wife_residence.successor_code, typed.wife_residence_division_code) AS wife_residence_division_code,
    COALESCE(husband_hukou.successor_code, typed.husband_hukou_division_code) AS husband_hukou_division_code,
    COALESCE(handling.successor_code, typed.handling_division_code) AS handling_division_code,
    wife_hukou.retired_code IS NOT NULL
        OR wife_residence.retired_code IS NOT NULL
        OR husband_hukou.retired_code IS NOT NULL
        OR handling.retired_code IS NOT NULL
        AS has_retired_division
FROM typed
LEFT JOIN retired_division AS wife_hukou ON wife_hukou.retired_code = typed.wife_hukou_division_code
LEFT JOIN retired_division AS wife_residence ON wife_residence.retired_code = typed.wife_residence_division_code
LEFT JOIN retired_division AS husband_hukou ON husband_hukou.retired_code = typed.husband_hukou_division_code
LEFT JOIN retired_division AS handling ON handling.retired_code = typed.handling_division_code
