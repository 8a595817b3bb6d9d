-- date_digits(day): a date as eight digits, as inside a resident ID.
SELECT REPLACE(CAST($day AS VARCHAR), '-', '')
