"""Bring a whole installation up on this machine: database, partners, Airflow; run a night through it."""
