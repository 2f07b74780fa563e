"""The first tables: attempts, reopenings and revocations."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "1"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "attempt",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.String(128), nullable=False),
        sa.Column("question", sa.String(128), nullable=False),
        sa.Column("student", sa.String(128), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("version", sa.String(64), nullable=False),
        sa.Column("answer", sa.Text, nullable=False),
        sa.Column("client", sa.String(36), nullable=False),
        sa.Column("time", sa.String(40), nullable=False),
        sa.UniqueConstraint(
            "assignment", "question", "student", "round", "number", name="one_first"
        ),
        sa.UniqueConstraint("student", "client", name="one_per_client_id"),
        sa.CheckConstraint("number >= 1 AND round >= 0", name="counted_from_one"),
    )
    op.create_table(
        "reopening",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("assignment", sa.String(128), nullable=False),
        sa.Column("question", sa.String(128), nullable=False),
        sa.Column("student", sa.String(128), nullable=False),
        sa.Column("round", sa.Integer, nullable=False),
        sa.Column("time", sa.String(40), nullable=False),
        sa.Column("taken_back", sa.String(40)),
        sa.UniqueConstraint("assignment", "question", "student", "round", name="one_reopening"),
    )
    op.create_table(
        "revocation",
        sa.Column("student", sa.String(128), primary_key=True),
        sa.Column("before", sa.String(40), nullable=False),
    )


def downgrade() -> None:
    """Remove the tables, with all that they hold."""
    for table in ("revocation", "reopening", "attempt"):
        op.drop_table(table)
