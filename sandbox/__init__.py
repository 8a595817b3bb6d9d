"""An invented city with known truth, and partners that answer."""
