# The JSON schemas of the resource types say what is right.
locals {
  schemas = {
    for it in [for name in fileset(path.module, "schemas/*.json") : jsondecode(file("${path.module}/${name}"))] :
    trimprefix(it.typeName, "Custom::NeptuneML") => it
  }
  schema = local.schemas[var.type]
  names  = keys(local.schema.properties)
  given  = { for name in local.names : name => lookup(var.properties, name, null) != null }

  # Either a property adopts a job, or others describe it.
  adopts       = local.schema.if.required[0]
  describes    = [for it in local.schema.then.not.anyOf : it.required[0]]
  is_described = anytrue([for name in local.describes : local.given[name]])
  described    = try(local.schema.else.then, local.schema.else)
  one_of       = [for it in try(local.described.anyOf, []) : it.required[0]]

  required = {
    for name in local.names : name => contains(setsubtract(local.schema.required, ["ServiceToken"]), name) || (
      !local.given[local.adopts] && local.is_described && (
        contains(local.described.required, name) || anytrue([
          for other, names in try(local.described.dependencies, {}) : local.given[other] && contains(names, name)
        ])
      )
    )
  }

  # A member of a map is called "Property.Member".
  values = merge(
    {
      for name, rule in local.schema.properties :
      name => { rule = rule, required = local.required[name], value = lookup(var.properties, name, null) }
    },
    [
      for name, rule in local.schema.properties : {
        for member, it in try(rule.properties, {}) : "${name}.${member}" => {
          rule     = it
          required = local.given[name] && contains(rule.required, member)
          value    = try(var.properties[name][member], null)
        }
      }
    ]...
  )
  are_right = {
    for name, it in local.values : name => {
      # RE2 has neither lookahead nor counts above 1000.
      string = try(length(tostring(it.value)) >= it.rule.minLength, false) && can(regex(
        replace(replace(try(it.rule.pattern, ""), "/\\(\\?![^)]*\\)/", ""), "/\\{1,\\d{4,}\\}/", "+"), it.value
      ))
      integer = try(floor(it.value) == it.value + 0 && it.rule.minimum <= it.value && it.value <= it.rule.maximum, false)
      boolean = try(contains(["true", "false"], lower(it.value)), false)
      array = try(
        length(tolist(it.value)) >= it.rule.minItems &&
        alltrue([for item in it.value : length(tostring(item)) >= it.rule.items.minLength]), false
      )
      object = try(length(setsubtract(keys(it.value), keys(it.rule.properties))) == 0, false)
    }[it.rule.type] || can(regex("\\{\"(Ref|Fn::\\w+)\":|\\{\\{resolve:", jsonencode(it.value))) # by CloudFormation
  }

  problems = merge(
    {
      for name, it in local.values : name =>
      it.value == null ? it.required ? "${name} is missing." : "" :
      local.are_right[name] ? "" :
      format("%s is %s; it should be %s%s.", name,
        try("'${it.value}'", "a map with ${join(", ", keys(it.value))}", "a list"),
        it.rule["$comment"],
        try(" with ${join(", ", keys(it.rule.properties))}", "")
      )
    },
    {
      for number, rule in local.schema.allOf : "exclusion ${number}" => try(rule.not, null) != null && alltrue([
        for name in try(rule.not.required, []) :
        try(contains(rule.not.properties[name].enum, var.properties[name]), local.given[name] || contains(local.waits, name))
      ]) ? rule["$comment"] : ""
    },
    {
      adopted_or_described = (
        local.given[local.adopts] != local.is_described ? "" :
        local.is_described ? local.schema.then["$comment"] :
        try(local.schema.else.else["$comment"], local.schema.then["$comment"])
      )
      one_of = (
        local.given[local.adopts] || !local.is_described || length(local.one_of) == 0 ||
        anytrue([for name in local.one_of : local.given[name]]) ? "" : local.described["$comment"]
      )
    }
  )
}

# One instance for each: a value that is not known yet delays no other check.
module "check" {
  source   = "./check"
  for_each = local.problems

  problem = each.value == "" ? "" : "${var.name}: ${each.value}"
}

locals {
  properties = { for name, value in var.properties : name => value if value != null }
  token      = lookup(local.properties, "ServiceToken", { "Fn::ImportValue" = "${var.provider_stack}-ServiceToken" })
  is_long    = var.wait_for > 3600
  waits      = local.is_long ? ["CompletionHandle"] : var.wait_for > 0 ? ["WaitForCompletion", "ServiceTimeout"] : []
  # A wait condition works once, and cannot be updated: another job or wait needs another one.
  job        = { for name, value in local.properties : name => value if contains(concat(["Endpoint", local.adopts], local.describes), name) }
  suffix     = substr(sha256(jsonencode([local.job, var.wait_for])), 0, 8)
  attributes = keys(try(local.schemas[var.properties.JobType], local.schema).attributes)
}

resource "aws_cloudformation_stack" "this" {
  name         = var.name
  iam_role_arn = var.iam_role_arn

  template_body = jsonencode({
    Resources = merge(
      {
        Job = {
          Type = local.schema.typeName
          Properties = merge(
            {
              for name, value in {
                CompletionHandle  = { Ref = "Handle${local.suffix}" }
                WaitForCompletion = true
                ServiceTimeout    = var.wait_for
              } : name => value if contains(local.waits, name)
            },
            { ServiceToken = local.token },
            local.properties
          )
        }
      },
      {
        for name, resource in {
          Handle = { Type = "AWS::CloudFormation::WaitConditionHandle" }
          Completion = {
            Type       = "AWS::CloudFormation::WaitCondition"
            DependsOn  = "Job"
            Properties = { Handle = { Ref = "Handle${local.suffix}" }, Timeout = tostring(var.wait_for) }
          }
          Lookup = {
            Type      = "Custom::NeptuneMLJobLookup"
            DependsOn = "Completion${local.suffix}"
            Properties = merge(
              { for name, value in local.properties : name => value if name == "NeptuneIamRoleArn" },
              { ServiceToken = local.token, JobType = var.type, Job = { Ref = "Job" } }
            )
          }
        } : "${name}${local.suffix}" => resource if local.is_long
      }
    )
    Outputs = merge(
      { Ref = { Value = { Ref = "Job" } } },
      {
        for name in local.attributes :
        name => { Value = { "Fn::GetAtt" = [local.is_long ? "Lookup${local.suffix}" : "Job", name] } }
      }
    )
  })

  # Beside the wait, an hour for each of the job, the lookup and both in a rollback.
  timeouts {
    create = "${ceil(var.wait_for / 60) + 250}m"
    update = "${ceil(var.wait_for / 60) + 250}m"
    delete = "130m"
  }

  depends_on = [module.check]
}
