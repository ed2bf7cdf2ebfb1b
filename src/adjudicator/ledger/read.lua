-- Reads settlements and states of a pool as of one moment.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    ARGV[2]  settlement keys, 16 bytes each    ARGV[3]  state keys, 16 bytes each
--
-- Returns {known, states}: known is index (from 0), position, record of each settlement that is there; states is one
-- value per key, empty where there is none.
local prefix, keys, state_keys = ARGV[1], ARGV[2], ARGV[3]
local known, states = {}, {}
for i = 1, #keys / 16 do
  local first, second = string.byte(keys, 16 * i - 15, 16 * i - 14)
  local bucket = prefix .. 'index:' .. string.format('%02x%x', first, (second - second % 16) / 16)
  local place = redis.call('HGET', bucket, string.sub(keys, 16 * i - 15, 16 * i))
  if place then
    local month, id = string.match(place, '^(%d+)-(%d+)$')
    if not month then return redis.error_reply('LEDGER an index entry is not a place in the journal') end
    local entries = redis.call('XRANGE', prefix .. 'journal:' .. month, id, id)
    if #entries ~= 1 then
      return redis.error_reply('LEDGER the index names an entry that the journal of ' .. month .. ' does not have')
    end
    local at = #known
    known[at + 1], known[at + 2], known[at + 3] = i - 1, tonumber(id), entries[1][2][2]
  end
end
for i = 1, #state_keys / 16 do
  states[i] = redis.call('GET', prefix .. 'state:' .. string.sub(state_keys, 16 * i - 15, 16 * i)) or ''
end
return {known, states}
