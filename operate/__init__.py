"""The operator's commands for an AWS account: deploy and test the provider, read its log, list jobs, replay events.

They use the credentials, Region and endpoints that the AWS CLI would use.
"""
