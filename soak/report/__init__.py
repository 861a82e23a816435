"""What a person sees of a run: HTML, PNG, Markdown and the terminal, all from the run directory alone."""
