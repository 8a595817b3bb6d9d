-- subsidy.case_import: one row per accepted case of the baseline, by case number, with what is in question about it.
-- Only cases in payment or suspended are in question: those who have exited may have left the population database.
WITH known_person AS (
    SELECT person_id, id_number, hukou_division_code
    FROM population_person
    SEMI JOIN beneficiary_case USING (person_id)
),
cases_of AS (
    SELECT person_id, COUNT(*) AS open_cases
    FROM beneficiary_case
    WHERE state_code <> '3'
    GROUP BY person_id
),
examined AS (
    SELECT
        beneficiary_case.*,
        COALESCE(beneficiary_case.hukou_division_code, known_person.hukou_division_code) AS division_asked,
        CASE WHEN known_person.person_id IS NULL THEN 'person_unknown' END AS unknown,
        -- Somebody else may be behind the file number.
        CASE WHEN known_person.id_number <> beneficiary_case.id_number THEN 'id_number_differs' END AS differing,
        CASE WHEN cases_of.open_cases > 1 THEN 'several_cases' END AS several,
        CASE WHEN end_month < start_month THEN 'end_before_start' END AS reversed
    FROM beneficiary_case
    LEFT JOIN known_person USING (person_id)
    LEFT JOIN cases_of USING (person_id)
)
SELECT
    case_number, programme_code, category_code, person_id, first_year, start_month, end_month, state_code,
    exit_reason_code, padis_state_code, padis_period, padis_batch_id, landing_id, landing_row,
    COALESCE(itself.division_code, town.division_code, district.division_code, '110000000000') AS division_code,
    CASE
        WHEN state_code = '3' THEN []
        ELSE LIST_SORT(LIST_DISTINCT([unknown, differing, several, reversed]))
    END AS reason_codes
FROM examined
LEFT JOIN retired_division ON retired_division.retired_code = RPAD(division_asked, 12, '0')
LEFT JOIN division AS itself
    ON itself.division_code = COALESCE(retired_division.successor_code, RPAD(division_asked, 12, '0'))
LEFT JOIN division AS town ON town.division_code = SUBSTR(division_asked, 1, 9) || '000'
LEFT JOIN division AS district ON district.division_code = SUBSTR(division_asked, 1, 6) || '000000'
ORDER BY case_number
