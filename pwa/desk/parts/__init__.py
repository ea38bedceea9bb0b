"""What several pages of the desk share, one noun a file; pages import no pages."""
