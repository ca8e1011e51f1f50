"""The deploy engine: one host, committed last and undone by itself; many hosts in batches."""
