-- Reads settlements and states of a pool as of one moment.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    ARGV[2]  settlement keys, 16 bytes each    ARGV[3]  keys of states, 16 bytes each
--
-- Returns {known, states}: known is index (from 0), position, block with this record alone of each settlement that is
-- there; states is one value a key, empty where there is none.
local MOST = 2000
local prefix, keys, state_keys = ARGV[1], ARGV[2], ARGV[3]
local known, states, found = {}, {}, {}

local function find(place) -- the record at a place of the index, or nil and what is wrong
  local month, id = string.match(place, '^(%d+)-(%d+)$')
  if not month then return nil, 'LEDGER an index entry is not a place in the journal' end
  local entries = redis.call('XRANGE', prefix .. 'journal:' .. month, id, '+', 'COUNT', 1)
  if #entries == 1 then
    local last = tonumber(string.match(entries[1][1], '^%d+'))
    local head, records = records_of(entries[1][2][2])
    if head then
      for i = 1, #records do
        found[month .. '-' .. string.format('%.0f', last - #records + i)] = head .. records[i]
      end
    end
  end
  if not found[place] then
    return nil, 'LEDGER the index names a record that the journal of ' .. month .. ' does not have'
  end
  return found[place]
end

for name, bucket in pairs(by_bucket(keys)) do
  for first = 1, #bucket.keys, MOST do
    local last = math.min(first + MOST - 1, #bucket.keys)
    local places = redis.call('HMGET', prefix .. 'index:' .. name, unpack(bucket.keys, first, last))
    for i = 1, #places do
      local place = places[i]
      if place then
        local record, wrong = found[place]
        if not record then record, wrong = find(place) end
        if wrong then return redis.error_reply(wrong) end
        local at = #known
        known[at + 1], known[at + 2] = bucket.places[first + i - 1] - 1, tonumber(string.match(place, '%d+$'))
        known[at + 3] = record
      end
    end
  end
end
local state_prefix, count = prefix .. 'state:', #state_keys / 16
for first = 1, count, MOST do
  local names = {}
  for i = first, math.min(first + MOST - 1, count) do
    names[#names + 1] = state_prefix .. string.sub(state_keys, 16 * i - 15, 16 * i)
  end
  local values = redis.call('MGET', unpack(names))
  for i = 1, #values do states[first + i - 1] = values[i] or '' end
end
return {known, states}
