"""Time and memory of every step, beside what people would use instead: `make bench` (docs/decisions/0025)."""
