"""CloudFormation's protocol."""

from provider.custom_resource.front_door import FrontDoor

__all__ = ["FrontDoor"]
