-- Admits one request under several rates, or refuses it and leaves every one of them as it was.
--
-- KEYS  [1] the decision on this network (only where one can stand), then one counter for each rate. All in one slot.
-- ARGV  [1] now in microseconds, or "" for this server's own clock
--       [2] "1" for a known caller, whom a throttle does not bind
--       [3] for each rate five doubles: limit, window (us), gather (us), cost, 1 to enforce or 0 for shadow
--       [4] "1" to look only: the same reply, nothing is counted
-- Reply {now_us, decision or "", milliseconds until it ends (-1: never), then for each rate:
--       used     what counts in the window, this request included where it was counted
--       wait_us  0, or how long until this request's cost fits
--       leave_us how long until the oldest slot leaves, 0 where there is none
--       slot     the slot that holds this request, 0 where it was not counted: what give_back.lua takes}
--
-- A counter is a string: the sum of its slots (4 bytes), then the slots of 20 bytes, oldest first: opened (us), last
-- request (us), count. A slot gathers what follows within `gather` of its opening and counts until its last request is
-- a whole window old: never too short, and at most `gather` too long. With gather 0 each request has its own slot.

local SUM, SLOT, FORMAT = 4, 20, '>ddI4'
local RATE, RATE_FORMAT = 40, '>ddddd'
local pack, read, sub = struct.pack, struct.unpack, string.sub

local rates = #ARGV[3] / RATE
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
    local opened, last, count = read(FORMAT, slots, at)
    moved[#moved + 1] = pack(FORMAT, opened - by, last - by, count)
  end
  return table.concat(moved)
end

-- How long until `excess` has left.
local function wait_for(slots, window, excess)
  for at = 1, #slots, SLOT do
    local _, last, count = read(FORMAT, slots, at)
    excess = excess - count
    if excess <= 0 then return last + window - now end
  end
  return window
end

-- What still counts: the slots, their sum, and when the oldest leaves.
local function counting(value, window)
  if not value then return '', 0, 0 end
  local used, slots = read('>I4', value), sub(value, SUM + 1)
  local _, newest = read(FORMAT, slots, #slots - SLOT + 1)
  if newest > now then slots = shifted(slots, newest - now) end
  for from = 1, #slots, SLOT do
    local _, last, count = read(FORMAT, slots, from)
    if last + window > now then
      return from == 1 and slots or sub(slots, from), used, last + window - now
    end
    used = used - count
  end
  return '', 0, 0
end

-- The slots with this request counted, and the slot that holds it.
local function counted(slots, gather, cost)
  if slots ~= '' then
    local at = #slots - SLOT + 1
    local opened, _, count = read(FORMAT, slots, at)
    if now == opened or now - opened < gather then
      return sub(slots, 1, at - 1) .. pack(FORMAT, opened, now, count + cost), opened
    end
  end
  return slots .. pack(FORMAT, now, now, cost), now
end

local reply, slots, refused = {now, decision, decision == '' and 0 or redis.call('PTTL', KEYS[1])}, {}, false
for i = 1, rates do
  local limit, window, _, cost, enforce = read(RATE_FORMAT, ARGV[3], (i - 1) * RATE + 1)
  local at = i * 4
  local live, used, leave = counting(values[first + i], window)
  local wait = used + cost > limit and wait_for(live, window, used + cost - limit) or 0
  slots[i] = live
  reply[at], reply[at + 1], reply[at + 2], reply[at + 3] = used, wait, leave, 0
  refused = refused or (wait > 0 and enforce == 1)
end
if refused or ARGV[4] == '1' then return reply end

for i = 1, rates do
  local at = i * 4
  if reply[at + 1] == 0 then
    local _, window, gather, cost = read(RATE_FORMAT, ARGV[3], (i - 1) * RATE + 1)
    local held, slot = counted(slots[i], gather, cost)
    local used = reply[at] + cost
    redis.call('SET', KEYS[first + i], pack('>I4', used) .. held, 'PX', math.ceil(window / 1000) + 1)
    -- Alone in its slot, or alone at all, this request is what leaves first.
    if #held == SLOT then reply[at + 2] = window end
    reply[at], reply[at + 3] = used, slot
  end
end
return reply
