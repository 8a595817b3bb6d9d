-- staging.beneficiary_case: one row per received case, conformed. Columns that are not named here pass from
-- `typed` unchanged.
SELECT
    resident_id_18(typed.id_number) AS id_number,
    is_old_resident_id(typed.id_number) AS has_15_digits,
    COALESCE(hukou.successor_code, typed.hukou_division_code) AS hukou_division_code,
    hukou.retired_code IS NOT NULL AS has_retired_division
FROM typed
LEFT JOIN retired_division AS hukou ON hukou.retired_code = typed.hukou_division_code
