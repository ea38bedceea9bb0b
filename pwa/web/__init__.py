"""What every request passes: security headers, who may, sign-in, language, menu."""
