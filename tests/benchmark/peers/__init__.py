"""What people would use instead; each runs in `.venv-bench` and knows nothing of ours but files."""
