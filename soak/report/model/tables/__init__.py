"""What a report tells in tables: text, not escaped, for any renderer to lay out."""
