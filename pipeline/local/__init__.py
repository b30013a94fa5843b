"""Runs on this machine: LocalDagRunner, its display and the workdir."""
