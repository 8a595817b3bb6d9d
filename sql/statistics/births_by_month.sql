-- statistics.births_by_month: cells of the births by month of birth; one row per division, class and month.
SELECT 'births' AS measure, birth_match.division_code, class_code AS category, month.month, COUNT(*) AS value
FROM birth_match
JOIN month ON birth_date BETWEEN month.first_day AND month.last_day
GROUP BY ALL
