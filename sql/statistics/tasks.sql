-- statistics.tasks: cells of open tasks, and of those whose due date has passed; one row per measure, division and kind.
SELECT 'tasks_open' AS measure, division_code, kind_code AS category, COUNT(*) AS value
FROM task
GROUP BY ALL
UNION ALL
SELECT 'tasks_overdue', division_code, kind_code, COUNT(*)
FROM task
WHERE due_date < CAST($business_date AS DATE)
GROUP BY ALL
