def generate(srctree):
    extra_dirs = map(lambda dir: srctree / dir, ("samples", "drivers"))
    for folder in extra_dirs:
        yield folder
