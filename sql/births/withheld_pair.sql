-- births.withheld_pair: one row per rated pair of which both sides state a certificate: whether that makes them one child.
SELECT
    probability,
    COALESCE(band_code = 'automatic', FALSE) AS is_automatic,
    LIST_HAS_ANY(certificate_numbers_l, certificate_numbers_r) AS is_one
FROM rated_pair
WHERE LEN(certificate_numbers_l) > 0 AND LEN(certificate_numbers_r) > 0
ORDER BY mch_record_id, relation_id
