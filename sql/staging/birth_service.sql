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
    CASE
        WHEN wife_hukou.retired_code IS NULL THEN typed.wife_hukou_division_code
        ELSE COALESCE(wife_hukou_today.division_code, wife_hukou.successor_code || '000000')
    END AS wife_hukou_division_code,
    CASE
        WHEN wife_residence.retired_code IS NULL THEN typed.wife_residence_division_code
        ELSE COALESCE(wife_residence_today.division_code, wife_residence.successor_code || '000000')
    END AS wife_residence_division_code,
    CASE
        WHEN husband_hukou.retired_code IS NULL THEN typed.husband_hukou_division_code
        ELSE COALESCE(husband_hukou_today.division_code, husband_hukou.successor_code || '000000')
    END AS husband_hukou_division_code,
    CASE
        WHEN handling.retired_code IS NULL THEN typed.handling_division_code
        ELSE COALESCE(handling_today.division_code, handling.successor_code || '000000')
    END AS handling_division_code,
    wife_hukou.retired_code IS NOT NULL
        OR wife_residence.retired_code IS NOT NULL
        OR husband_hukou.retired_code IS NOT NULL
        OR handling.retired_code IS NOT NULL
        AS has_retired_division
FROM typed
LEFT JOIN retired_county AS wife_hukou
    ON wife_hukou.retired_code = SUBSTR(typed.wife_hukou_division_code, 1, 6)
    AND is_division_code(typed.wife_hukou_division_code)
LEFT JOIN division AS wife_hukou_today
    ON wife_hukou_today.division_code = wife_hukou.successor_code || SUBSTR(typed.wife_hukou_division_code, 7, 6)
LEFT JOIN retired_county AS wife_residence
    ON wife_residence.retired_code = SUBSTR(typed.wife_residence_division_code, 1, 6)
    AND is_division_code(typed.wife_residence_division_code)
LEFT JOIN division AS wife_residence_today
    ON wife_residence_today.division_code = wife_residence.successor_code || SUBSTR(typed.wife_residence_division_code, 7, 6)
LEFT JOIN retired_county AS husband_hukou
    ON husband_hukou.retired_code = SUBSTR(typed.husband_hukou_division_code, 1, 6)
    AND is_division_code(typed.husband_hukou_division_code)
LEFT JOIN division AS husband_hukou_today
    ON husband_hukou_today.division_code = husband_hukou.successor_code || SUBSTR(typed.husband_hukou_division_code, 7, 6)
LEFT JOIN retired_county AS handling
    ON handling.retired_code = SUBSTR(typed.handling_division_code, 1, 6)
    AND is_division_code(typed.handling_division_code)
LEFT JOIN division AS handling_today
    ON handling_today.division_code = handling.successor_code || SUBSTR(typed.handling_division_code, 7, 6)
