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
-- A counter is a string: the sum of its slots and how far its own time is ahead of the clock (12 bytes), then the slots
-- of 20 bytes, oldest first: opened (us), last request (us), count. A slot gathers what follows within `gather` of its
-- opening and counts until its last request is a whole window old: never too short, and at most `gather` too long. With
-- gather 0 each request has its own slot.
--
-- A counter's own time stands still while the clock goes back: nobody can tell how much time really passed, and none is
-- the one guess that never lets a window hold too much.

local HEAD, HEAD_FORMAT, SLOT, FORMAT = 12, '>I4d', 20, '>ddI4'
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

-- What still counts: the slots, their sum, the counter's own time, and when the oldest slot leaves.
local function counting(value, window)
  if not value then return '', 0, now, 0 end
  local used, ahead = read(HEAD_FORMAT, value)
  local slots = sub(value, HEAD + 1)
  local _, newest = read(FORMAT, slots, #slots - SLOT + 1)
  local time = math.max(now + ahead, newest)
  for from = 1, #slots, SLOT do
    local _, last, count = read(FORMAT, slots, from)
    if last + window > time then
      return from == 1 and slots or sub(slots, from), used, time, last + window - time
    end
    used = used - count
  end
  return '', 0, now, 0
end

-- How long until `excess` has left.
local function wait_for(slots, time, window, excess)
  for at = 1, #slots, SLOT do
    local _, last, count = read(FORMAT, slots, at)
    excess = excess - count
    if excess <= 0 then return last + window - time end
  end
  return window
end

-- The slots with this request counted, and the slot that holds it.
local function counted(slots, time, gather, cost)
  if slots ~= '' then
    local at = #slots - SLOT + 1
    local opened, _, count = read(FORMAT, slots, at)
    if time == opened or time - opened < gather then
      return sub(slots, 1, at - 1) .. pack(FORMAT, opened, time, count + cost), opened
    end
  end
  return slots .. pack(FORMAT, time, time, cost), time
end

local reply, slots, times, refused = {now, decision, decision == '' and 0 or redis.call('PTTL', KEYS[1])}, {}, {}, false
for i = 1, rates do
  local limit, window, _, cost, enforce = read(RATE_FORMAT, ARGV[3], (i - 1) * RATE + 1)
  local at = i * 4
  local live, used, time, leave = counting(values[first + i], window)
  local wait = used + cost > limit and wait_for(live, time, window, used + cost - limit) or 0
  slots[i], times[i] = live, time
  reply[at], reply[at + 1], reply[at + 2], reply[at + 3] = used, wait, leave, 0
  refused = refused or (wait > 0 and enforce == 1)
end
if ARGV[4] == '1' then return reply end

for i = 1, rates do
  local at, ahead = i * 4, times[i] - now
  if not refused and reply[at + 1] == 0 then
    local _, window, gather, cost = read(RATE_FORMAT, ARGV[3], (i - 1) * RATE + 1)
    local held, slot = counted(slots[i], times[i], gather, cost)
    local used = reply[at] + cost
    redis.call('SET', KEYS[first + i], pack(HEAD_FORMAT, used, ahead) .. held, 'PX', math.ceil(window / 1000) + 1)
    -- Alone in its slot, or alone at all, this request is what leaves first.
    if #held == SLOT then reply[at + 2] = window end
    reply[at], reply[at + 3] = used, slot
  elseif slots[i] ~= '' and ahead > select(2, read(HEAD_FORMAT, values[first + i])) then
    -- The clock went back. Unless it is noted, this caller would wait until it has caught up, longer than it is told.
    redis.call('SET', KEYS[first + i], pack(HEAD_FORMAT, reply[at], ahead) .. slots[i], 'KEEPTTL')
  end
end
return reply
