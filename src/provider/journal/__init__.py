"""The journal: what the provider knows about a resource's jobs. It writes before it acts, and reads before it decides."""
