"""Finding one's way in a source file: bytes in, byte ranges out. No edit is made here."""
