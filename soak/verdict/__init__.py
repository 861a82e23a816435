"""What the judge says, as plain data, and as JSON and back."""
