"""The pages on which the guide's texts are reviewed, exchanged and published."""
