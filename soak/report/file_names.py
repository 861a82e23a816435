"""What the files of a report are called: light to import for whoever only looks for them."""

HTML_NAME = "report.html"
PNG_NAME = "memory.png"
