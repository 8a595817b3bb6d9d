-- statistics.births_by_month: cells of the births by month of birth; one row per measure, division, category and month.
SELECT
    CASE WHEN measure = 'births_by_class' THEN 'births' ELSE measure END AS measure,
    birth_cell.division_code, category, month.month, COUNT(*) AS value
FROM birth_cell
JOIN month ON birth_date BETWEEN month.first_day AND month.last_day
GROUP BY ALL
