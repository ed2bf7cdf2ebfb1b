-- Where the index says that settlements stand; for verify and rebuild.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    ARGV[2]  settlement keys, 16 bytes each; empty: count
--
-- Returns {number of index entries, position of the last record, place of each key or ''}.
local keys, places, count = ARGV[2], {}, 0
local index = ARGV[1] .. 'index:'
for i = 1, #keys / 16 do
  places[i] = redis.call('HGET', index .. bucket_of(keys, i), string.sub(keys, 16 * i - 15, 16 * i)) or ''
end
if #keys == 0 then
  for bucket = 0, 15 do count = count + redis.call('HLEN', index .. string.format('%x', bucket)) end
end
return {count, tonumber(redis.call('GET', KEYS[1]) or '0') or 0, places}
