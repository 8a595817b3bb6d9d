-- One more copy of the city's persons: other file numbers, identity numbers of another province's counties with check
-- digits of their own. `county` numbers the counties of that province.
WITH numbered AS (
    SELECT
        population_person.*,
        county.county_code || SUBSTR(id_number, 7, 11) AS seventeen
    FROM population_person
    LEFT JOIN county
        ON REGEXP_MATCHES(id_number, '^[0-9]{17}[0-9X]$')
        AND county.place = TRY_CAST(SUBSTR(id_number, 1, 6) AS INTEGER) % county.counties
)
SELECT * EXCLUDE (seventeen) REPLACE (
    '1100' || $tile || SUBSTR(person_id, 7) AS person_id,
    '1100' || $tile || SUBSTR(spouse_person_id, 7) AS spouse_person_id,
    CASE WHEN seventeen IS NULL THEN id_number ELSE seventeen || resident_id_check(seventeen) END AS id_number
)
FROM numbered
