"""What the provider is measured against."""
