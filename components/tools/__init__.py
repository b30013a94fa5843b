"""What every room may use: files, console, progress, retries, scores, the names of environment variables."""
