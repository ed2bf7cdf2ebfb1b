-- Entries of the index and position of the last record, as of one moment; for verify.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:
local count = 0
for bucket = 0, 15 do count = count + redis.call('HLEN', ARGV[1] .. 'index:' .. string.format('%x', bucket)) end
return {count, tonumber(redis.call('GET', KEYS[1]) or '0') or 0}
