-- Births of a year that is known to both sides, one row per birth, $births of them; what a side says wrongly is drawn
-- at the rates of sandbox/reference/defect_rates.csv (bound by their names). Made into two sides by the files beside.
WITH birth AS (
    SELECT
        n,
        -- Twins are two numbers in line with one mother and one day.
        n - CASE WHEN HASH(n // 2 + 1) / 18446744073709551616.0 < $multiple_birth / 2 THEN n % 2 ELSE 0 END AS delivery
    FROM RANGE($births) AS numbers(n)
),
truth AS (
    SELECT
        n,
        delivery,
        1 + n - delivery AS plural_order,
        CAST(1 + HASH(n + 3) % 2 AS VARCHAR) AS sex_code,
        CAST(1 + HASH(delivery + 5) % 2 AS BIGINT) AS parity,
        DATE '2026-01-01' + CAST(HASH(delivery + 7) % 150 AS INTEGER) AS birth_date,
        DATE '1984-01-01' + CAST(HASH(delivery + 9) % 7300 AS INTEGER) AS mother_birth_date,
        '1101' || LPAD(CAST(1 + HASH(delivery + 11) % 17 AS VARCHAR), 2, '0') AS county,
        delivery
    FROM birth
),
numbered AS (
    SELECT
        truth.* EXCLUDE (county),
        county || STRFTIME(mother_birth_date, '%Y%m%d') || LPAD(CAST(HASH(delivery + 13) % 500 * 2 AS VARCHAR), 3, '0')
            AS seventeen
    FROM truth
)
SELECT
    n, delivery, plural_order, sex_code, parity, birth_date, mother_birth_date,
    seventeen || resident_id_check(seventeen) AS mother_id_number,
    SUBSTR('王李张刘陈杨赵黄周吴', CAST(1 + HASH(delivery + 19) % 10 AS INTEGER), 1)
        || SUBSTR('丽娟艳红静敏婷雪倩丹晶莹洁琳颖燕娜玲芳慧', CAST(1 + HASH(delivery + 21) % 20 AS INTEGER), 1)
        || SUBSTR('佳欣琪璐瑶晓妍蕾薇爽蓉梅凤芹素云翠萍秋菊', CAST(1 + HASH(delivery + 23) % 20 AS INTEGER), 1) AS mother_name,
    '12' || LPAD(CAST(HASH(delivery + 25) % 1000000000 AS VARCHAR), 9, '0') AS mother_phone,
    'B' || LPAD(CAST(HASH(n + 17) % 1000000000 AS VARCHAR), 9, '0') AS certificate_number,
    -- Eight numbers drawn from 0 to 1, one for each thing that may go wrong.
    HASH(n + 101) / 18446744073709551616.0 AS chance_missing,
    HASH(n + 103) / 18446744073709551616.0 AS chance_mother,
    HASH(n + 107) / 18446744073709551616.0 AS chance_date,
    HASH(n + 109) / 18446744073709551616.0 AS chance_sex,
    HASH(n + 113) / 18446744073709551616.0 AS chance_certificate,
    HASH(n + 127) / 18446744073709551616.0 AS chance_parity,
    HASH(n + 131) / 18446744073709551616.0 AS chance_phone,
    HASH(n + 137) / 18446744073709551616.0 AS chance_mother_name
FROM numbered
