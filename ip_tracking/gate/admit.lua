-- Admits one request under several rates, or refuses it and leaves every one of them as it was.
--
-- KEYS  [1] the decision on this network (only where one can stand), then one counter for each rate. All in one slot.
-- ARGV  [1] now in microseconds, or "" for this server's own clock
--       [2] "1" for a known caller, whom a throttle does not bind
--       then for each rate: limit, window (us), gather (us), cost, "1" to enforce or "0" for shadow
-- Reply {now_us, decision or "", milliseconds until it ends (-1: never), then for each rate:
--       used     what counts in the window, this request included where it was counted
--       wait_us  0, or how long until this request's cost fits
--       leave_us how long until the oldest slot leaves, 0 where there is none
--       slot     the slot that holds this request, 0 where it was not counted: what give_back.lua takes}
--
-- A counter is a string of slots of 20 bytes, oldest first: opened (us), last request (us), count. A slot gathers what
-- follows within `gather` of its opening and counts until its last request is a whole window old: never too short, and
-- at most `gather` too long. With gather 0 each request has its own slot.

local SLOT, FORMAT = 20, '>ddI4'

local rates = (#ARGV - 2) / 5
local values = redis.call('MGET', unpack(KEYS))
local now = tonumber(ARGV[1])
if not now then
  local time = redis.call('TIME')
  now = time[1] * 1000000 + time[2]
end

local decision, first = '', #KEYS - rates
if first == 1 and values[1] then
  decision = values[1]
  if decision ~= 'throttle' or ARGV[2] ~= '1' then
    return {now, decision, redis.call('PTTL', KEYS[1])}
  end
end

-- The clock went back: age the slots with it, as if no time had passed since the last request.
local function shifted(slots, by)
  local moved = {}
  for at = 1, #slots, SLOT do
    local opened, last, count = struct.unpack(FORMAT, slots, at)
    moved[#moved + 1] = struct.pack(FORMAT, opened - by, last - by, count)
  end
  return table.concat(moved)
end

local function still_counting(slots, window)
  if slots == '' then return slots end
  local _, newest = struct.unpack(FORMAT, slots, #slots - SLOT + 1)
  if newest > now then slots = shifted(slots, newest - now) end
  local from = 1
  while from <= #slots do
    local _, last = struct.unpack(FORMAT, slots, from)
    if last + window > now then break end
    from = from + SLOT
  end
  return from == 1 and slots or string.sub(slots, from)
end

local function sum(slots)
  local used = 0
  for at = 1, #slots, SLOT do
    local _, _, count = struct.unpack(FORMAT, slots, at)
    used = used + count
  end
  return used
end

-- How long until `excess` has left.
local function wait_for(slots, window, excess)
  for at = 1, #slots, SLOT do
    local _, last, count = struct.unpack(FORMAT, slots, at)
    excess = excess - count
    if excess <= 0 then return last + window - now end
  end
  return window
end

local function oldest_leaves(slots, window)
  if slots == '' then return 0 end
  local _, last = struct.unpack(FORMAT, slots, 1)
  return last + window - now
end

local function add(slots, gather, cost)
  if slots ~= '' then
    local at = #slots - SLOT + 1
    local opened, _, count = struct.unpack(FORMAT, slots, at)
    if now == opened or now - opened < gather then
      return string.sub(slots, 1, at - 1) .. struct.pack(FORMAT, opened, now, count + cost), opened
    end
  end
  return slots .. struct.pack(FORMAT, now, now, cost), now
end

local reply, slots, refused = {now, decision, decision == '' and 0 or redis.call('PTTL', KEYS[1])}, {}, false
for i = 1, rates do
  local arg, at = 3 + (i - 1) * 5, 4 + (i - 1) * 4
  local limit, window, cost = tonumber(ARGV[arg]), tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 3])
  slots[i] = still_counting(values[first + i] or '', window)
  local used = sum(slots[i])
  local wait = used + cost > limit and wait_for(slots[i], window, used + cost - limit) or 0
  reply[at], reply[at + 1], reply[at + 2], reply[at + 3] = used, wait, oldest_leaves(slots[i], window), 0
  refused = refused or (wait > 0 and ARGV[arg + 4] == '1')
end
if refused then return reply end

for i = 1, rates do
  local arg, at = 3 + (i - 1) * 5, 4 + (i - 1) * 4
  if reply[at + 1] == 0 then
    local window, cost = tonumber(ARGV[arg + 1]), tonumber(ARGV[arg + 3])
    local packed, slot = add(slots[i], tonumber(ARGV[arg + 2]), cost)
    redis.call('SET', KEYS[first + i], packed, 'PX', math.ceil(window / 1000) + 1)
    reply[at], reply[at + 2], reply[at + 3] = reply[at] + cost, oldest_leaves(packed, window), slot
  end
end
return reply
