-- is_month_day_swapped(one, other): whether two dates are each other's with month and day exchanged.
SELECT EXTRACT(YEAR FROM $one) = EXTRACT(YEAR FROM $other)
    AND EXTRACT(MONTH FROM $one) = EXTRACT(DAY FROM $other)
    AND EXTRACT(DAY FROM $one) = EXTRACT(MONTH FROM $other)
