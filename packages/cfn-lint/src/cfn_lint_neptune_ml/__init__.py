"""cfn-lint rules for the resource types of Amazon Neptune ML: mistakes show before a deployment."""
