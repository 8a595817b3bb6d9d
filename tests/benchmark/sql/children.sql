-- Children of the couples of sql/marriages.sql, $persons persons: none, one or two each; some died or are disabled.
WITH couple AS (
    SELECT n, HASH(n + 11) % 100 AS chance
    FROM RANGE(0, $persons - 1, 2) AS women(n)
),
child AS (
    SELECT n, number, HASH(n * 2 + number + 13) % 1000 AS fate
    FROM couple
    CROSS JOIN RANGE(2) AS numbers(number)
    WHERE chance >= CASE WHEN number = 0 THEN 10 ELSE 75 END
)
SELECT
    n * 2 + number + 1 AS relation_id,
    '110101' || LPAD(CAST(n AS VARCHAR), 14, '0') AS mother_person_id,
    '110101' || LPAD(CAST(n + 1 AS VARCHAR), 14, '0') AS father_person_id,
    DATE '1964-01-01' + CAST(n // 16 % 22000 + 900 * number AS INTEGER) AS child_birth_date,
    CAST(1 + fate % 2 AS VARCHAR) AS child_sex_code,
    CASE WHEN fate % 40 = 7 THEN DATE '1999-01-01' END AS adopted_date,
    1 AS plural_count,
    CASE WHEN fate % 50 = 9 THEN NULL WHEN fate % 20 = 3 THEN '2' ELSE '1' END AS policy_attribute_code,
    CASE WHEN fate BETWEEN 30 AND 49 THEN CAST(1 + fate % 4 AS VARCHAR) END AS disability_level_code,
    CASE WHEN fate BETWEEN 30 AND 44 THEN '11' || CAST(n AS VARCHAR) END AS disability_certificate_number,
    fate >= 30 AS is_alive,
    CASE WHEN fate < 28 THEN DATE '2016-07-08' END AS death_date,
    CASE WHEN fate < 24 THEN '1' END AS death_proof_code
FROM child
