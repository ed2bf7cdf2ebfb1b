-- States of a pool and the position of the journal that they stand for, as of one moment; for verify.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    ARGV[2]  state keys, 16 bytes each
local values = {}
for i = 1, #ARGV[2] / 16 do
  values[i] = redis.call('GET', ARGV[1] .. 'state:' .. string.sub(ARGV[2], 16 * i - 15, 16 * i)) or ''
end
return {redis.call('GET', KEYS[1]) or '0', values}
