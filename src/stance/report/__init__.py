"""Results and analyses as self-contained HTML pages."""
