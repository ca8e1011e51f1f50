"""The pages of docs/reference/ and the schema for editors, written from the code itself."""
