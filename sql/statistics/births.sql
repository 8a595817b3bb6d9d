-- statistics.births: cells of the births of the year up to the business date; one row per measure, responsible division
-- and category.
SELECT measure, division_code, category, COUNT(*) AS value
FROM birth_cell
WHERE birth_date BETWEEN DATE_TRUNC('year', CAST($business_date AS DATE)) AND CAST($business_date AS DATE)
GROUP BY ALL
