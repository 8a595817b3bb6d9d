-- staging.population_person: one row per received person, conformed. Columns that are not named here pass
-- from `typed` (received text normalised and read as the contract's types) unchanged.
SELECT
    CASE WHEN typed.id_type_code = '01' THEN resident_id_18(typed.id_number) ELSE typed.id_number END AS id_number,
    typed.id_type_code = '01' AND is_old_resident_id(typed.id_number) AS has_15_digits,
    COALESCE(hukou.successor_code, typed.hukou_division_code) AS hukou_division_code,
    CASE WHEN hukou.retired_code IS NOT NULL THEN typed.hukou_division_code END AS received_hukou_division_code,
    COALESCE(residence.successor_code, typed.residence_division_code) AS residence_division_code,
    CASE WHEN residence.retired_code IS NOT NULL THEN typed.residence_division_code END
        AS received_residence_division_code
FROM typed
LEFT JOIN retired_division AS hukou ON hukou.retired_code = typed.hukou_division_code
LEFT JOIN retired_division AS residence ON residence.retired_code = typed.residence_division_code
