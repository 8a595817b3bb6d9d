-- statistics.tasks_by_month: cells of the to-do list; one row per measure, division, kind and month.
-- A task whose content changes goes on: it is opened where nothing of it was held the day before, and closed where
-- nothing of it is held any more.
WITH edge AS (
    SELECT
        task.*,
        NOT EXISTS (
            SELECT 1 FROM task AS before
            WHERE before.task_id = task.task_id AND before.recorded_to = task.recorded_from
        ) AS is_first,
        NOT EXISTS (
            SELECT 1 FROM task AS later
            WHERE later.task_id = task.task_id AND later.recorded_from = task.recorded_to
        ) AS is_last
    FROM task
)
SELECT 'tasks_opened' AS measure, edge.division_code, kind_code AS category, month.month, COUNT(*) AS value
FROM edge
JOIN month ON recorded_from BETWEEN month.first_day AND month.last_day
WHERE is_first
GROUP BY ALL
UNION ALL
SELECT 'tasks_closed', edge.division_code, kind_code, month.month, COUNT(*)
FROM edge
JOIN month ON recorded_to BETWEEN month.first_day AND month.last_day
WHERE is_last
GROUP BY ALL
UNION ALL
SELECT 'tasks_open', edge.division_code, kind_code, month.month, COUNT(*)
FROM edge
JOIN month ON recorded_from <= month.last_day AND (recorded_to IS NULL OR recorded_to > month.last_day)
GROUP BY ALL
UNION ALL
SELECT 'tasks_overdue', edge.division_code, kind_code, month.month, COUNT(*)
FROM edge
JOIN month ON recorded_from <= month.last_day AND (recorded_to IS NULL OR recorded_to > month.last_day)
WHERE due_date < month.last_day
GROUP BY ALL
