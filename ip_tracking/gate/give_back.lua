-- Gives back places that admit.lua took: the outcome was good, or another key refused the request.
--
-- KEYS  the counters
-- ARGV  for each counter: the slot that held the place, and its cost
-- Reply how many places were given back. A slot that has left has nothing to give.

local HEAD, HEAD_FORMAT, SLOT, FORMAT = 12, '>I4d', 20, '>ddI4'  -- as admit.lua packs them
local given = 0

for i, key in ipairs(KEYS) do
  local slot, cost = tonumber(ARGV[i * 2 - 1]), tonumber(ARGV[i * 2])
  local value = redis.call('GET', key) or ''
  for at = HEAD + 1, #value, SLOT do
    local opened, last, count = struct.unpack(FORMAT, value, at)
    if opened == slot and count >= cost then
      local kept = count > cost and struct.pack(FORMAT, opened, last, count - cost) or ''
      local slots = string.sub(value, HEAD + 1, at - 1) .. kept .. string.sub(value, at + SLOT)
      local used, ahead = struct.unpack(HEAD_FORMAT, value)
      if slots == '' then
        redis.call('DEL', key)
      else
        redis.call('SET', key, struct.pack(HEAD_FORMAT, used - cost, ahead) .. slots, 'KEEPTTL')
      end
      given = given + 1
      break
    end
  end
end
return given
