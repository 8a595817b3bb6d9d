"""Divisions change: the rows that rest on them follow, on record and reversible."""
