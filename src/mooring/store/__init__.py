"""What Mooring remembers: SQLAlchemy Core on SQLite or PostgreSQL, one module per table family."""
