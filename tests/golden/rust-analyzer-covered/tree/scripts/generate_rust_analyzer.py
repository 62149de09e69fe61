for d in ("samples", "drivers", "arch"):
    pass
