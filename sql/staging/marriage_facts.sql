-- Facts about conformed marriages that their rules speak of: none beyond the row itself.
SELECT conformed.*
FROM conformed
