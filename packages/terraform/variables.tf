variable "name" {
  description = "The name of the CloudFormation stack that declares the resource."
  type        = string
}

variable "type" {
  description = "The resource type without `Custom::NeptuneML`, such as `ModelTransformJob`."
  type        = string

  validation {
    condition     = contains(keys(local.schemas), var.type)
    error_message = "type is '${var.type}'; it should be one of ${join(", ", keys(local.schemas))}."
  }
}

variable "properties" {
  description = "The properties of the resource, by their names in CloudFormation."
  type        = any

  validation {
    condition     = length(setsubtract(keys(var.properties), local.names)) == 0
    error_message = "${local.schema.typeName} has no property ${join(", ", setsubtract(keys(var.properties), local.names))}; it has ${join(", ", local.names)}."
  }
}

variable "wait_for" {
  description = "How long to wait until the job has completed or the endpoint is in service, in seconds, at most 43200 (12 hours). By default, the stack does not wait."
  type        = number
  default     = 0

  validation {
    condition     = floor(var.wait_for) == var.wait_for && var.wait_for >= 0 && var.wait_for <= 43200
    error_message = "wait_for is ${var.wait_for}; it should be a whole number of seconds from 0 to 43200."
  }

  validation {
    condition     = var.wait_for == 0 || contains(local.names, "CompletionHandle")
    error_message = "${local.schema.typeName} has nothing to wait for; leave out wait_for."
  }
}

variable "provider_stack" {
  description = "The name of the provider's stack."
  type        = string
  default     = "neptune-ml-provider"
}

variable "iam_role_arn" {
  description = "The role that CloudFormation uses. By default, it uses your credentials; temporary ones have to outlast the wait."
  type        = string
  default     = null
}
