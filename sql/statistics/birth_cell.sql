-- statistics.birth_cell: one row per birth, measure and category that it counts under, with the day of birth.
SELECT
    birth_date, division_code, told.measure, told.category
FROM (
    SELECT
        birth_date,
        division_code,
        UNNEST(
            [
                {'measure': 'births_by_class', 'category': class_code},
                {'measure': 'births_by_sex', 'category': CASE WHEN sex_code IN ('1', '2') THEN sex_code ELSE 'unknown' END},
                -- Only MCH reports births; a child that it does not know was not reported late.
                {
                    'measure': 'births_by_delay',
                    'category': CASE WHEN mch_record_id IS NULL THEN 'not_reported' ELSE report_delay_code END
                },
                {
                    'measure': 'births_by_parity',
                    'category': CASE WHEN parity IN ('1', '2') THEN parity WHEN parity IS NULL THEN 'unknown' ELSE '3+' END
                }
            ]
            || LIST_TRANSFORM(conflict_fields, lambda field: {'measure': 'births_in_conflict', 'category': field})
            || LIST_TRANSFORM(missing_fields, lambda field: {'measure': 'births_incomplete', 'category': field})
            || LIST_TRANSFORM(situation_codes, lambda code: {'measure': 'births_in_situation', 'category': code})
        ) AS told
    FROM birth_match
)
