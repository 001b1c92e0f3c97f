"""Reports: results or an analysis as one self-contained HTML page."""
