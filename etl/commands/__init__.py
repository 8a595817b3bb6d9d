"""The groups of the `padis` command; each names what it runs, and imports it only then."""
