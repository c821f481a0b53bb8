"""Resolve, dial, TLS, HTTP, egress policy: the only code that opens sockets by itself."""
