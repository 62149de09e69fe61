A = ("samples", DRIVERS)
B = ["samples", "rust"]
