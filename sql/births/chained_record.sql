-- births.chained_record: one row per MCH record that is not void, with the chain of certificates it belongs to.
WITH RECURSIVE valid_record AS (
    -- A void record (作废) never was a certificate; one replaced by another (换发作废) is part of a chain.
    SELECT
        record_id, delivery_id, status_code, issue_date, outcome_code, plural_order, parity,
        NULLIF(TRIM(birth_certificate_number), '') AS own_number,
        NULLIF(NULLIF(TRIM(previous_certificate_number), ''), TRIM(birth_certificate_number)) AS previous_number,
        CAST(born_at AS TIMESTAMP) AS born_at,
        CAST(CAST(born_at AS TIMESTAMP) AS DATE) AS birth_date,
        CAST(reported_at AS TIMESTAMP) AS reported_at,
        child_sex_code AS sex_code,
        NULLIF(TRIM(mother_id_number), '') AS mother_id_number,
        mother_residence_division_code, mother_hukou_division_code, birth_division_code
    FROM mch_birth
    WHERE status_code IS DISTINCT FROM '2'
),
replaced_number AS (
    -- Each number that names its predecessor.
    SELECT own_number AS number, MIN(previous_number) AS previous_number
    FROM valid_record
    WHERE own_number IS NOT NULL AND previous_number IS NOT NULL
    GROUP BY own_number
),
older_number AS (
    -- Each number with every number before it in its chain.
    SELECT number, previous_number AS older FROM replaced_number
    UNION
    SELECT older_number.number, replaced_number.previous_number
    FROM older_number
    JOIN replaced_number ON replaced_number.number = older_number.older
),
first_number AS (
    -- The number a chain began with. Numbers that replace each other in a circle have none and stay apart.
    SELECT older_number.number, older_number.older AS first_number
    FROM older_number
    LEFT JOIN replaced_number ON replaced_number.number = older_number.older
    WHERE replaced_number.number IS NULL
),
contested_number AS (
    -- One number on records of different births identifies none of them: folding would lose a child.
    SELECT own_number AS number
    FROM valid_record
    WHERE own_number IS NOT NULL
    GROUP BY own_number
    HAVING COUNT(DISTINCT birth_date) > 1 OR COUNT(DISTINCT sex_code) > 1
        OR COUNT(DISTINCT COALESCE(plural_order, 1)) > 1 OR COUNT(DISTINCT mother_id_number) > 1
),
chain AS (
    SELECT
        valid_record.*,
        CASE
            WHEN contested_number.number IS NOT NULL OR COALESCE(own_number, previous_number) IS NULL
                THEN 'record:' || record_id
            ELSE 'number:' || COALESCE(first_number.first_number, own_number, previous_number)
        END AS chain_id
    FROM valid_record
    LEFT JOIN first_number ON first_number.number = COALESCE(own_number, previous_number)
    LEFT JOIN contested_number ON contested_number.number = own_number
),
implausible_chain AS (
    -- A placeholder written as "previous number" would string strangers together: neither mother nor date agrees.
    SELECT chain_id
    FROM chain
    GROUP BY chain_id
    HAVING COUNT(DISTINCT birth_date) > 1 AND COUNT(DISTINCT COALESCE(mother_id_number, record_id)) > 1
)
SELECT
    chain.* EXCLUDE (chain_id),
    CASE WHEN implausible_chain.chain_id IS NULL THEN chain.chain_id ELSE 'record:' || record_id END AS chain_id
FROM chain
LEFT JOIN implausible_chain USING (chain_id)
ORDER BY record_id
