-- Reads the server's own counters and how far they went since the last reading, in one step: two exporters at the same
-- time never count the same lookup.
-- Every command here looks keys up for writing, which the server does not count as hit or miss: HINCRBY by 0 is our GET.
-- KEYS[1] the baseline, a hash: hits, misses, at_us, and run:<id of the server's run> = 1
-- ARGV[1] "take": this reading becomes the baseline; "peek": it does not
-- ARGV[2] how long to keep a baseline nobody reads, in seconds
-- Reply: role, hits and misses since the server's start, 1 if there is a baseline of this run (else 0),
--        hits and misses since it, microseconds since it
local function read(section, field)
    return string.match(redis.call('INFO', section), field .. ':(%w+)')
end

local run = 'run:' .. read('server', 'run_id')
local role = read('replication', 'role')
local hits = tonumber(read('stats', 'keyspace_hits'))
local misses = tonumber(read('stats', 'keyspace_misses'))
local clock = redis.call('TIME')
local now_us = clock[1] * 1000000 + clock[2]

local known = redis.call('HINCRBY', KEYS[1], run, 0) == 1
local new_hits, new_misses, passed_us = 0, 0, 0
if known then
    new_hits = hits - redis.call('HINCRBY', KEYS[1], 'hits', 0)
    new_misses = misses - redis.call('HINCRBY', KEYS[1], 'misses', 0)
    passed_us = now_us - redis.call('HINCRBY', KEYS[1], 'at_us', 0)
    -- Fallen counters: CONFIG RESETSTAT. (One followed by more lookups than before it is not seen.)
    known = new_hits >= 0 and new_misses >= 0
else
    redis.call('HDEL', KEYS[1], run)
end

if ARGV[1] == 'take' then
    redis.call('DEL', KEYS[1])
    redis.call('HSET', KEYS[1], run, 1, 'hits', hits, 'misses', misses, 'at_us', string.format('%d', now_us))
    redis.call('EXPIRE', KEYS[1], ARGV[2])
end
return {role, hits, misses, known and 1 or 0, new_hits, new_misses, passed_us}
