"""People who sign in: accounts, sessions, waiting after wrong passwords."""
