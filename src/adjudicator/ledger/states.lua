-- States of a pool and the position of the journal that they stand for, as of one moment; for verify.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    ARGV[2]  state keys, 16 bytes each
local MOST = 1000
local values, prefix, count = {}, ARGV[1] .. 'state:', #ARGV[2] / 16
for first = 1, count, MOST do
  local names = {}
  for i = first, math.min(first + MOST - 1, count) do
    names[#names + 1] = prefix .. string.sub(ARGV[2], 16 * i - 15, 16 * i)
  end
  for i, value in ipairs(redis.call('MGET', unpack(names))) do values[first + i - 1] = value or '' end
end
return {redis.call('GET', KEYS[1]) or '0', values}
