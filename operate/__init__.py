"""What an operator does in an AWS account: deploy the provider, read its log, replay events, have it prove itself.

Credentials, Region and endpoints are those that boto3 finds, as the AWS CLI does.
"""
