-- sweep_count: one row: how many rows the source has, how many of them are to be read again, and the newest
-- stamp before $until (later ones are mistakes of a clock, and would hide what comes before them).
SELECT
    COUNT(*) AS swept,
    COUNT(*) FILTER (WHERE reread_key.is_read_again) AS planned,
    MAX(swept.stamp) FILTER (WHERE swept.stamp < $until) AS watermark
FROM swept
LEFT JOIN (SELECT row_key, TRUE AS is_read_again FROM reread_key) AS reread_key
    ON reread_key.row_key IS NOT DISTINCT FROM swept.row_key
