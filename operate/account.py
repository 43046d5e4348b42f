"""The AWS account and Region that a command is about to work in."""

from __future__ import annotations

import os
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoRegionError

from operate.command import CannotGoOn

_HOW = "Set AWS_PROFILE, or run `aws configure` (or `aws sso login`)."


class NoAccount(CannotGoOn):
    """There are no credentials, or no Region, or AWS does not take them; the message says what to do."""


@dataclass(frozen=True)
class Account:
    """An account, as these credentials see it.

    Attributes:
        id: Its number.
        region: The Region.
        arn: Who the credentials belong to.
        session: Makes clients for it.
    """

    id: str
    region: str
    arn: str
    session: boto3.Session

    def __str__(self) -> str:
        return f"Account {self.id}, Region {self.region}, as {self.arn}"


def find() -> Account:
    """Find out whose credentials boto3 finds.

    Returns:
        The account.

    Raises:
        NoAccount: There is none.
    """
    try:
        # boto3 reads AWS_DEFAULT_REGION; the AWS CLI this one, too.
        session = boto3.Session(region_name=os.environ.get("AWS_REGION"))
        if session.get_credentials() is None:
            raise NoAccount(f"There are no AWS credentials. {_HOW}")
        caller = session.client("sts", region_name=_required_region(session)).get_caller_identity()
    except NoRegionError as error:
        raise NoAccount("There is no AWS Region: set AWS_REGION, or run `aws configure`.") from error
    except ClientError as error:
        raise NoAccount(
            f"AWS does not take these credentials ({error.response['Error']['Message']}). {_HOW}"
        ) from error
    except BotoCoreError as error:  # a profile that there is not, a login that has expired, no network
        raise NoAccount(f"The AWS account cannot be found out: {str(error).rstrip('.')}. {_HOW}") from error
    return Account(caller["Account"], _required_region(session), caller["Arn"], session)


def _required_region(session: boto3.Session) -> str:
    # botocore would ask STS without one, and every other service would fail later.
    if not session.region_name:
        raise NoRegionError
    return session.region_name
