"""Values to text, purely: what a program, a build server or a metrics store is handed."""
