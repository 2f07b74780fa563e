"""Alembic's migrations of the attempt service's database."""
