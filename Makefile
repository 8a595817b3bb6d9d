.DEFAULT_GOAL := help
lock:; true
