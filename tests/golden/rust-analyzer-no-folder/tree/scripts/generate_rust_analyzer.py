A = ("samples", "drivers")
