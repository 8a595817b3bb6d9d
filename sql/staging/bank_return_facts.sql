-- Facts about conformed payments that their rules speak of: none beyond the row itself.
SELECT conformed.*
FROM conformed
