"""`make probe`: compares what CloudFormation does with what the project assumes."""
