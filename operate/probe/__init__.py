"""`make probe`: what CloudFormation does, against what the project assumes of it."""
