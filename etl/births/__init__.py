"""Maternal-health births held against the children of the population database."""
