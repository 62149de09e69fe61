"""Messages, cover letter, numbering: text in, text out. Nothing here is sent."""
