def generate(srctree):
    for folder in "samples", "drivers":
        yield srctree / folder
