"""restic: the program, its repositories, its words and its locks."""
