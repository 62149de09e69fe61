def generate(srctree):
    for folder in "samples", "drivers", "arch/x86/kvm":
        yield srctree / folder
