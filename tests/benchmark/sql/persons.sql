-- Conformed persons of an invented city, $persons rows; the same for the same number. About one row in twelve has
-- a warning or two, a few break what a person must keep, so that every kind of count is above zero.
WITH village AS (
    SELECT
        division_code,
        ROW_NUMBER() OVER (ORDER BY division_code) - 1 AS place
    FROM division
    WHERE level_code = '4'
),
numbered AS (
    SELECT
        person AS n,
        person * 37 % (SELECT COUNT(*) FROM village) AS place,
        DATE '1940-01-01' + CAST(person // 16 % 30000 AS INTEGER) AS birth_date,
        -- Unlike for one county, day and place in line: no two persons share a number.
        person % 16 + person // 480000 * 16 AS place_in_line,
        2 - person % 2 AS sex,
        HASH(person) % 1000 AS chance,
        HASH(person + 7) % 1000 AS other_chance
    FROM RANGE($persons) AS persons(person)
),
person AS (
    SELECT
        numbered.*,
        village.division_code,
        SUBSTR(division_code, 1, 6) || date_digits(birth_date)
            || LPAD(CAST(place_in_line AS VARCHAR), 3, '0') AS seventeen
    FROM numbered
    INNER JOIN village ON village.place = numbered.place
)
SELECT
    -- Two rows in a million have the file number of the row before.
    '110101' || LPAD(CAST(CASE WHEN n % 500000 = 499999 THEN n - 1 ELSE n END AS VARCHAR), 14, '0') AS person_id,
    SUBSTR('王李张刘陈杨赵黄周吴', CAST(n % 10 + 1 AS INTEGER), 1) || SUBSTR('伟芳娜敏静丽强磊军洋', CAST(n // 10 % 10 + 1 AS INTEGER), 1)
        AS name,
    CASE WHEN chance < 5 THEN '王 伟' END AS received_name,
    CAST(sex AS VARCHAR) AS sex_code,
    birth_date,
    CASE WHEN chance = 9 THEN NULL ELSE '01' END AS id_type_code,
    CASE
        WHEN chance = 8 THEN NULL
        WHEN n % 250000 = 7 THEN seventeen || '?'
        ELSE seventeen || resident_id_check(seventeen)
    END AS id_number,
    CASE WHEN other_chance < 30 THEN NULL WHEN other_chance = 31 THEN '98' ELSE '01' END AS nation_code,
    CASE WHEN other_chance < 60 THEN NULL ELSE CAST(10 * (1 + n % 4) AS VARCHAR) END AS education_code,
    CASE WHEN chance = 10 THEN NULL ELSE '20' END AS marital_status_code,
    CAST(1 + n % 2 AS VARCHAR) AS hukou_nature_code,
    CASE WHEN n % 3 = 0 THEN '1' END AS hukou_nature_before_reform_code,
    division_code AS hukou_division_code,
    CAST(NULL AS VARCHAR) AS received_hukou_division_code,
    division_code AS residence_division_code,
    CAST(NULL AS VARCHAR) AS received_residence_division_code,
    '多福巷' || CAST(n % 997 AS VARCHAR) || '号' AS hukou_address,
    '多福巷' || CAST(n % 997 AS VARCHAR) || '号' AS residence_address,
    n % 11 = 0 AS is_separated,
    division_code || LPAD(CAST(n // 3 % 1000000 AS VARCHAR), CASE WHEN chance = 11 THEN 5 ELSE 6 END, '0')
        AS household_code,
    CASE WHEN chance < 40 THEN NULL ELSE '02' END AS relation_to_head_code,
    CASE
        WHEN other_chance < 100 THEN NULL
        WHEN chance = 12 THEN '电话'
        ELSE '139' || LPAD(CAST(n AS VARCHAR), 8, '0')
    END AS phone,
    CASE WHEN n % 7 = 0 THEN 'G' || CAST(n AS VARCHAR) END AS only_child_certificate_number,
    CASE WHEN n % 7 = 0 THEN DATE '1990-05-01' END AS only_child_certificate_date,
    CASE WHEN n % 2 = 0 THEN '110101' || LPAD(CAST(n + 1 AS VARCHAR), 14, '0') END AS spouse_person_id,
    CASE WHEN chance = 13 THEN '2' ELSE '1' END AS life_status_code,
    CASE WHEN chance = 13 THEN DATE '2025-05-01' END AS death_date,
    CASE WHEN chance = 13 THEN '1' END AS death_proof_code,
    CAST(NULL AS VARCHAR) AS cancel_reason_code,
    division_code AS managing_division_code,
    'sandbox' AS source_system_name,
    TIMESTAMP '2026-05-31 10:00:00' AS source_updated_at,
    '0123456789abcdef' AS landing_id,
    n AS landing_row,
    CASE
        WHEN chance < 30 THEN ['name_rare_character']
        WHEN chance < 60 THEN ['id_region_unknown', 'managing_division_unknown']
        WHEN chance < 80 THEN ['full_width_or_spaces']
        WHEN chance = 80 THEN ['death_date_missing', 'id_number_shared']
        ELSE []
    END AS failed_rules
FROM person
