-- statistics.roster: one row per case of a programme that was in payment in a month of the year, in the order in which
-- people read it: by village, then number. Personal values: for the personal zones only.
SELECT
    place.division_code,
    case_in_year.case_number,
    person.name,
    person.sex_code,
    person.birth_date,
    person.id_number,
    case_in_year.category_code,
    case_in_year.start_month,
    case_in_year.end_month,
    case_in_year.state_code,
    case_in_year.exit_reason_code,
    case_in_year.is_begun,
    case_in_year.is_left
FROM case_in_year
JOIN place ON place.received IS NOT DISTINCT FROM case_in_year.division_code
LEFT JOIN population_person AS person ON person.person_id = case_in_year.person_id
WHERE
    case_in_year.programme_code = $programme_code
    AND (case_in_year.was_in_payment OR case_in_year.is_begun)
    AND STARTS_WITH(place.division_code, $division_digits)
ORDER BY place.division_code, case_in_year.case_number
