-- subsidy.touched_person: one row per person about whom clauses may be told something else on $business_date than on
-- $earlier_date. `changed_person`, `changed_child` and `changed_marriage` are the rows that only one of the two nights
-- has; population_person and marriage are those of the later one.
WITH as_of AS (
    SELECT
        day,
        -- As in subsidy/facts.sql: month and day up to which birthdays have been reached.
        CASE
            WHEN $leap_birthday = '02-28' AND month(day) = 2 AND day = last_day(day) THEN 229
            ELSE month(day) * 100 + day(day)
        END AS month_day
    FROM (SELECT CAST($business_date AS DATE) AS day UNION ALL SELECT CAST($earlier_date AS DATE) AS day) AS both_dates
),

later AS (SELECT day, month_day FROM as_of WHERE day = $business_date),

earlier AS (SELECT day, month_day FROM as_of WHERE day = $earlier_date),

-- Who is another person to the spouse as well: other facts, or another age.
moved AS (
    SELECT person_id FROM changed_person
    UNION
    SELECT population_person.person_id
    FROM population_person
    CROSS JOIN later
    CROSS JOIN earlier
    WHERE
        year(later.day) - CASE WHEN month(birth_date) * 100 + day(birth_date) > later.month_day THEN 1 ELSE 0 END
        <> year(earlier.day) - CASE WHEN month(birth_date) * 100 + day(birth_date) > earlier.month_day THEN 1 ELSE 0 END
),

married AS (
    SELECT husband_person_id, wife_person_id, event_date, end_date FROM marriage
    UNION ALL
    SELECT husband_person_id, wife_person_id, event_date, end_date FROM changed_marriage
),

party AS (
    SELECT husband_person_id AS person_id, wife_person_id AS spouse_person_id, event_date, end_date FROM married
    UNION ALL
    SELECT wife_person_id AS person_id, husband_person_id AS spouse_person_id, event_date, end_date FROM married
),

touched AS (
    SELECT person_id FROM moved
    UNION
    SELECT person_id FROM party WHERE spouse_person_id IN (SELECT person_id FROM moved)
    UNION
    SELECT person_id FROM party
    WHERE
        (event_date > $earlier_date AND event_date <= $business_date)
        OR (end_date > $earlier_date AND end_date <= $business_date)
    UNION
    SELECT husband_person_id AS person_id FROM changed_marriage
    UNION
    SELECT wife_person_id AS person_id FROM changed_marriage
    UNION
    SELECT mother_person_id AS person_id FROM changed_child
    UNION
    SELECT father_person_id AS person_id FROM changed_child
)

SELECT person_id FROM touched WHERE person_id IS NOT NULL ORDER BY person_id
