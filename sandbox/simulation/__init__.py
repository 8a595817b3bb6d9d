"""Weeks of the invented city with everything that goes wrong, driven through the real pipeline and judged."""
