"""The register of tenancies: import files, protected tenancies, the company's facts."""
