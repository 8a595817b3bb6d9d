-- staging.family_child: one row per received child, conformed. Columns that are not named here pass from
-- `typed` unchanged.
SELECT
    CASE WHEN typed.child_id_type_code = '01' THEN resident_id_18(typed.child_id_number) ELSE typed.child_id_number END
        AS child_id_number,
    typed.child_id_type_code = '01' AND is_old_resident_id(typed.child_id_number) AS has_15_digits
FROM typed
