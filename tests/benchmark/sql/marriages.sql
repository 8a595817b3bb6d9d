-- Marriages of an invented city of $persons persons: nearly every woman (even number) with the man after her.
SELECT
    n // 2 + 1 AS marriage_id,
    '110101' || LPAD(CAST(n + 1 AS VARCHAR), 14, '0') AS husband_person_id,
    '110101' || LPAD(CAST(n AS VARCHAR), 14, '0') AS wife_person_id,
    DATE '1962-01-01' + CAST(n // 16 % 22000 AS INTEGER) AS event_date,
    CASE WHEN HASH(n + 3) % 100 < 12 THEN DATE '2015-03-04' END AS end_date
FROM RANGE(0, $persons - 1, 2) AS women(n)
WHERE HASH(n + 5) % 100 < 90
-- Not every column: those that facts are made of (sql/subsidy/facts.sql).
