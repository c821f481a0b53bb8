"""The HTTP edge: routes, who may call them, errors as people can read them. No decisions about health."""
