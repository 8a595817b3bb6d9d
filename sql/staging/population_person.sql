-- staging.population_person: one row per received person, conformed. Columns that are not named here pass
-- from `typed` (received text normalised and read as the contract's types) unchanged.
SELECT
    CASE WHEN typed.id_type_code = '01' THEN resident_id_18(typed.id_number) ELSE typed.id_number END AS id_number,
    typed.id_type_code = '01' AND is_old_resident_id(typed.id_number) AS has_15_digits,
    CASE
        WHEN hukou.retired_code IS NULL THEN typed.hukou_division_code
        ELSE COALESCE(hukou_today.division_code, hukou.successor_code || '000000')
    END AS hukou_division_code,
    CASE WHEN hukou.retired_code IS NOT NULL THEN typed.hukou_division_code END AS received_hukou_division_code,
    CASE
        WHEN residence.retired_code IS NULL THEN typed.residence_division_code
        ELSE COALESCE(residence_today.division_code, residence.successor_code || '000000')
    END AS residence_division_code,
    CASE WHEN residence.retired_code IS NOT NULL THEN typed.residence_division_code END
        AS received_residence_division_code
FROM typed
LEFT JOIN retired_county AS hukou
    ON hukou.retired_code = SUBSTR(typed.hukou_division_code, 1, 6) AND is_division_code(typed.hukou_division_code)
LEFT JOIN division AS hukou_today
    ON hukou_today.division_code = hukou.successor_code || SUBSTR(typed.hukou_division_code, 7, 6)
LEFT JOIN retired_county AS residence
    ON residence.retired_code = SUBSTR(typed.residence_division_code, 1, 6)
    AND is_division_code(typed.residence_division_code)
LEFT JOIN division AS residence_today
    ON residence_today.division_code = residence.successor_code || SUBSTR(typed.residence_division_code, 7, 6)
