-- subsidy.as_of_marriage: one row per marriage that had begun on $as_of, without an end that came after it.
SELECT
    marriage_id,
    husband_person_id,
    wife_person_id,
    event_date,
    CASE WHEN end_date > $as_of THEN NULL ELSE end_date END AS end_date,
    landing_id,
    landing_row
FROM marriage
WHERE event_date <= $as_of
