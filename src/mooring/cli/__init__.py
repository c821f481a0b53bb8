"""The command line: `main` knows the commands; each is a module that is imported when it is used."""
