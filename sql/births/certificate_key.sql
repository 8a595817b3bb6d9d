-- births.certificate_key: one row per living birth or child and number of a certificate: any of the birth's chain.
SELECT mch_record_id, CAST(NULL AS BIGINT) AS relation_id, UNNEST(certificate_numbers) AS key
FROM folded_birth
WHERE is_living
UNION ALL
SELECT NULL, relation_id, certificate_number
FROM population_child
WHERE certificate_number IS NOT NULL
