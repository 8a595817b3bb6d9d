-- staging.beneficiary_case: one row per received case, conformed. Columns that are not named here pass from
-- `typed` unchanged.
SELECT
    resident_id_18(typed.id_number) AS id_number,
    is_old_resident_id(typed.id_number) AS has_15_digits,
    CASE
        WHEN hukou.retired_code IS NULL THEN typed.hukou_division_code
        ELSE COALESCE(hukou_today.division_code, hukou.successor_code || '000000')
    END AS hukou_division_code,
    hukou.retired_code IS NOT NULL AS has_retired_division
FROM typed
LEFT JOIN retired_county AS hukou
    ON hukou.retired_code = SUBSTR(typed.hukou_division_code, 1, 6) AND is_division_code(typed.hukou_division_code)
LEFT JOIN division AS hukou_today
    ON hukou_today.division_code = hukou.successor_code || SUBSTR(typed.hukou_division_code, 7, 6)
