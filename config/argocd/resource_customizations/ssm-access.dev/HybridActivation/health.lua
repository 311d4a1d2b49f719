-- The health of an object of ssm-access.dev, for Argo CD. It needs no library of Lua.
-- A deletion takes at least a minute, because open sessions are ended and looked up again.
local health = {status = "Progressing", message = "The operator has not reconciled this generation yet"}
local status = obj.status or {}
local conditions = {}
for _, condition in ipairs(status.conditions or {}) do
  conditions[condition.type] = condition
end
local ready = conditions["Ready"]
if obj.metadata.deletionTimestamp ~= nil then
  health.message = "Removing from AWS"
  if ready ~= nil and ready.message ~= nil then
    health.message = ready.message
  end
  return health
end
if ready == nil or ready.observedGeneration ~= obj.metadata.generation then
  return health
end
health.message = ready.message
if ready.status == "True" then
  health.status = "Healthy"
elseif ready.reason == "Suspended" then
  health.status = "Suspended"
elseif conditions["Stalled"] ~= nil and conditions["Stalled"].status == "True" then
  health.status = "Degraded"
end
return health
