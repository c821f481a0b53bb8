"""Reads the code and writes docs/reference: `make docs`. A test fails where a page is stale."""
