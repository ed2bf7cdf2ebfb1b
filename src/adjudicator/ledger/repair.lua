-- Writes repaired values while commits wait; refuses when the repair lost its token, because commits then go on.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    ARGV[2]  token of the rebuild    ARGV[3]  seconds that the token lives on
-- ARGV[4]  'index', then key, place, ...
--          'surplus', then bucket, key to delete, ...
--          'states', then key, value (empty: delete), ...
--          'statements', then of each its name, size and SHA-1 of what was read of it, what must stand in its place, ...
--          'keep', nothing
--          'finish', version, number of months with totals to replace, then of each: month, number of values,
--          field, amount, ...; then number of months in the journal, each; number of counties, each
local prefix, kind = ARGV[1], ARGV[4]
if redis.call('GET', prefix .. 'rebuilding') ~= ARGV[2] then return 0 end
redis.call('EXPIRE', prefix .. 'rebuilding', ARGV[3])
if kind == 'index' then
  for i = 5, #ARGV, 2 do
    redis.call('HSET', prefix .. 'index:' .. bucket_of(ARGV[i], 1), ARGV[i], ARGV[i + 1])
  end
elseif kind == 'surplus' then
  for i = 5, #ARGV, 2 do redis.call('HDEL', ARGV[i], ARGV[i + 1]) end
elseif kind == 'states' then
  for i = 5, #ARGV, 2 do
    if ARGV[i + 1] == '' then redis.call('DEL', prefix .. 'state:' .. ARGV[i])
    else redis.call('SET', prefix .. 'state:' .. ARGV[i], ARGV[i + 1]) end
  end
elseif kind == 'statements' then
  for i = 5, #ARGV, 4 do
    local key, size = prefix .. 'statement:' .. ARGV[i], tonumber(ARGV[i + 1])
    local value = redis.pcall('GET', key)
    if type(value) ~= 'string' then -- absent, or a key of another kind
      redis.call('DEL', key)
      value = ''
    end
    if redis.sha1hex(string.sub(value, 1, size)) == ARGV[i + 2] then
      value = ARGV[i + 3] .. string.sub(value, size + 1) -- what was appended since stays
      if value == '' then redis.call('DEL', key) else redis.call('SET', key, value) end
    end
  end
elseif kind == 'finish' then
  local at = 7
  for _ = 1, tonumber(ARGV[6]) do
    local hash, count = prefix .. 'totals:' .. ARGV[at], tonumber(ARGV[at + 1])
    redis.call('DEL', hash)
    for i = at + 2, at + 1 + count, 2 do redis.call('HSET', hash, ARGV[i], ARGV[i + 1]) end
    at = at + 2 + count
  end
  for _, set in ipairs({'months', 'counties'}) do
    redis.call('DEL', prefix .. set)
    local count = tonumber(ARGV[at])
    for i = at + 1, at + count do redis.call('SADD', prefix .. set, ARGV[i]) end
    at = at + 1 + count
  end
  redis.call('SET', KEYS[1], ARGV[5])
  redis.call('DEL', prefix .. 'rebuilding')
end
return 1
