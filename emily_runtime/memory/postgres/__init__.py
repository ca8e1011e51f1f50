"""The memory in a PostgreSQL server, for who has one."""
