def generate(srctree):
    extra_dirs = [srctree / dir for dir in ("samples", "drivers")]
    return extra_dirs
