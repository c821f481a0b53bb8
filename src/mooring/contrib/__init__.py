"""Mooring inside other people's programs: web frameworks, and services that are told what pools do.

Nothing here imports a framework before it is used.
"""
