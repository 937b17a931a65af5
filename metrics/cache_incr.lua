-- Adds to a number in the cache, where there is one. Asking first and adding then would make a key that expired in
-- between anew, without an end.
--
-- KEYS  [1] the number
-- ARGV  [1] what to add
-- Reply the sum, or nil where there is no key

if redis.call('EXISTS', KEYS[1]) == 0 then return false end
return redis.call('INCRBY', KEYS[1], ARGV[1])
