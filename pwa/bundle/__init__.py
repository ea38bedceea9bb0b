"""What a phone loads: compiled templates, catalogues, fonts, and the addresses of public files."""
