"""What every request passes: security headers, sign-in, rights, language, menu, error answers."""
