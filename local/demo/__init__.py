"""The demo: what the provider does with stacks and their jobs, on this machine."""
