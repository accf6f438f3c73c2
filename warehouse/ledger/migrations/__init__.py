"""The ledger's schema from version to version, run by alembic when a ledger is opened."""
