"""What the provider knows of a resource's jobs: it is written down before it acts, and read before it decides."""
