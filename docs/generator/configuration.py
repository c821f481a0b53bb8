def configuration():
    return ""
