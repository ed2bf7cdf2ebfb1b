-- Where the index says that settlements stand.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    ARGV[2]  settlement keys, 16 bytes each; empty: count
--
-- Returns {number of index entries, position of the last record, place of each key or nothing, each behind a line break}.
local MOST = 2000
local keys, places, count = ARGV[2], {''}, 0
local index = ARGV[1] .. 'index:'
for name, bucket in pairs(by_bucket(keys)) do
  for first = 1, #bucket.keys, MOST do
    local last = math.min(first + MOST - 1, #bucket.keys)
    local found = redis.call('HMGET', index .. name, unpack(bucket.keys, first, last))
    for i = 1, #found do places[bucket.places[first + i - 1] + 1] = found[i] or '' end
  end
end
if #keys == 0 then
  for bucket = 0, 15 do count = count + redis.call('HLEN', index .. string.format('%x', bucket)) end
end
return {count, tonumber(redis.call('GET', KEYS[1]) or '0') or 0, table.concat(places, '\n')}
