-- Totals of a pool as of one moment.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    ARGV[2]  month, six digits, or empty for all
--
-- Returns {version, month, its hash as field, value, ...; month, ...}.
local months = ARGV[2] == '' and redis.call('SMEMBERS', ARGV[1] .. 'months') or {ARGV[2]}
local reply = {redis.call('GET', KEYS[1]) or '0'}
table.sort(months)
for _, month in ipairs(months) do
  reply[#reply + 1] = month
  reply[#reply + 1] = redis.call('HGETALL', ARGV[1] .. 'totals:' .. month)
end
return reply
