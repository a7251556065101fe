-- The health of a PromMigration for Argo CD. It needs no library: put it into argocd-cm as resource.customizations.health.prom-migrator.io_PromMigration.
local status = obj.status or {}

local function health(word, message)
  return { status = word, message = message }
end

if obj.metadata.deletionTimestamp ~= nil then
  return health("Progressing", "is being deleted")
end
-- The API server sets -1 until an operator has looked at the object.
if status.observedGeneration == nil or status.observedGeneration == -1 then
  return health("Progressing", "no operator has looked at it yet")
end
if status.observedGeneration ~= obj.metadata.generation then
  return health("Progressing", "the operator has not looked at the last edit yet")
end

local succeeded = nil
for _, condition in ipairs(status.conditions or {}) do
  if condition.type == "Succeeded" then
    succeeded = condition
  end
end
if succeeded == nil then
  return health("Progressing", status.phase or "has no conditions yet")
end

local why = succeeded.reason
if (succeeded.message or "") ~= "" then
  why = why .. ": " .. succeeded.message
end
if succeeded.status == "True" then
  return health("Healthy", why)
end
if succeeded.status == "False" then
  return health("Degraded", why)
end

-- Not ended. A failure that is retried is no degradation: it would end the sync of an Application.
local progress = status.progress or {}
local place = status.phase or ""
if progress.display ~= nil then
  place = place .. " " .. progress.display
end
if progress.rate ~= nil then
  place = place .. ", " .. progress.rate
end
if progress.remaining ~= nil then
  place = place .. ", " .. progress.remaining .. " left"
end
if status.phase == "Suspended" then
  place = place .. ": spec.suspend is true"
  -- Such as a Job that cannot be stopped and still copies.
  if succeeded.reason ~= "Suspended" then
    place = place .. "; " .. why
  end
  return health("Suspended", place)
end
return health("Progressing", place .. ": " .. why)
