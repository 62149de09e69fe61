A = ("samples", "drivers")
B = ("samples", "drivers", "rust")
