-- Reads settlements and states of a pool as of one moment.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    ARGV[2]  settlement keys, 16 bytes each    then the names of the states
--
-- Returns {known, states}: known is index (from 0), position, record of each settlement that is there; states is one
-- value per name, empty where there is none.
local MOST = 2000
local prefix, keys = ARGV[1], ARGV[2]
local known, states = {}, {}
for name, bucket in pairs(by_bucket(keys)) do
  for first = 1, #bucket.keys, MOST do
    local last = math.min(first + MOST - 1, #bucket.keys)
    local places = redis.call('HMGET', prefix .. 'index:' .. name, unpack(bucket.keys, first, last))
    for i = 1, #places do
      if places[i] then
        local month, id = string.match(places[i], '^(%d+)-(%d+)$')
        if not month then return redis.error_reply('LEDGER an index entry is not a place in the journal') end
        local entries = redis.call('XRANGE', prefix .. 'journal:' .. month, id, id)
        if #entries ~= 1 then
          return redis.error_reply('LEDGER the index names an entry that the journal of ' .. month .. ' does not have')
        end
        local at = #known
        known[at + 1], known[at + 2], known[at + 3] = bucket.places[first + i - 1] - 1, tonumber(id), entries[1][2][2]
      end
    end
  end
end
for first = 3, #ARGV, MOST do
  local found = redis.call('MGET', unpack(ARGV, first, math.min(first + MOST - 1, #ARGV)))
  for i = 1, #found do states[first + i - 3] = found[i] or '' end
end
return {known, states}
