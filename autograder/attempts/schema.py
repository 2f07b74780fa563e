"""The tables of the attempt service. `migrations/` makes them and changes them."""

from __future__ import annotations

from sqlalchemy import (
    CheckConstraint,
    Column,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

MAX_NAME = 128  # characters of the name of an assignment, of a question, and of a student's id

metadata = MetaData()

# The first attempt is the row with number 1 in the highest round. The first unique constraint lets
# exactly one such row exist, however many requests arrive at the same time. The second makes a
# request that is sent again, with the same client id, the same attempt.
attempts = Table(
    "attempt",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", String(MAX_NAME), nullable=False),
    Column("question", String(MAX_NAME), nullable=False),
    Column("student", String(MAX_NAME), nullable=False),
    Column("round", Integer, nullable=False),
    Column("number", Integer, nullable=False),
    Column("version", String(64), nullable=False),
    Column("answer", Text, nullable=False),
    Column("client", String(36), nullable=False),
    Column("time", String(40), nullable=False),
    UniqueConstraint("assignment", "question", "student", "round", "number", name="one_first"),
    UniqueConstraint("student", "client", name="one_per_client_id"),
    CheckConstraint("number >= 1 AND round >= 0", name="counted_from_one"),
)

# An instructor who reopens a first attempt begins another round. A reopening that was taken back
# keeps its row, so that no round is used twice.
reopenings = Table(
    "reopening",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("assignment", String(MAX_NAME), nullable=False),
    Column("question", String(MAX_NAME), nullable=False),
    Column("student", String(MAX_NAME), nullable=False),
    Column("round", Integer, nullable=False),
    Column("time", String(40), nullable=False),
    Column("taken_back", String(40)),
    UniqueConstraint("assignment", "question", "student", "round", name="one_reopening"),
)

# Tokens of a student that were made before this time are refused.
revocations = Table(
    "revocation",
    metadata,
    Column("student", String(MAX_NAME), primary_key=True),
    Column("before", String(40), nullable=False),
)
