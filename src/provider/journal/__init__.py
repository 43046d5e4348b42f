"""The journal: what the provider knows about a resource's jobs, which it records before it acts."""
