"""People who sign in: accounts, sessions, the throttle on wrong passwords."""
