"""Visits on the server: submitting and holding operations, export, view models."""
