"""The AWS account and Region that a command works in."""

from __future__ import annotations

import os
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from operate.command import CannotGoOn

_HOW = "Set AWS_PROFILE, or run `aws configure` (or `aws sso login`)."


@dataclass(frozen=True)
class Account:
    """An account, as seen with the current credentials.

    Attributes:
        id: The account number.
        region: The Region.
        arn: The ARN of the user or role that the credentials belong to.
        session: The session that creates clients for the account.
    """

    id: str
    region: str
    arn: str
    session: boto3.Session

    def __str__(self) -> str:
        return f"Account {self.id}, Region {self.region}, as {self.arn}"


def find() -> Account:
    """Find the account of the current credentials; raises `CannotGoOn` if AWS cannot be asked, or rejects them."""
    try:
        # boto3 reads only AWS_DEFAULT_REGION; the AWS CLI reads this one first.
        session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
        if session.get_credentials() is None:
            raise CannotGoOn(f"No AWS credentials were found. {_HOW}")
        caller = session.client("sts", region_name=_required_region(session)).get_caller_identity()
    except NoRegionError as error:
        raise CannotGoOn("No AWS Region is set. Set AWS_REGION, or run `aws configure`.") from error
    except ClientError as error:
        raise CannotGoOn(f"AWS rejected the credentials ({error.response['Error']['Message']}). {_HOW}") from error
    except BotoCoreError as error:  # the profile does not exist, the login has expired, or there is no network
        raise CannotGoOn(f"The AWS account could not be determined: {str(error).rstrip('.')}. {_HOW}") from error
    return Account(caller["Account"], _required_region(session), caller["Arn"], session)


def _required_region(session: boto3.Session) -> str:
    # botocore can call STS without a Region; every other call would fail later.
    if not session.region_name:
        raise NoRegionError
    return session.region_name
