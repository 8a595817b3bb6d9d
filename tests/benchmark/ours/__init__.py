"""Our steps, each as a night runs it."""
