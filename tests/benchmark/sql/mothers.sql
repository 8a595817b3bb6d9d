-- The mothers of the births, as persons.
SELECT
    '11' || LPAD(CAST(delivery AS VARCHAR), 18, '0') AS person_id,
    mother_id_number AS id_number,
    mother_name AS name,
    -- The register has no telephone of some.
    CASE WHEN chance_phone < 0.93 THEN mother_phone END AS phone,
    mother_birth_date AS birth_date,
    '110105001001' AS hukou_division_code,
    '110105001001' AS residence_division_code
FROM birth
WHERE n = delivery
