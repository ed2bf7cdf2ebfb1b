-- One commit of a pool: all of it or nothing. Amounts are decimal strings from first to last; this language's numbers
-- are doubles and only ever hold positions, counts and sizes here.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:
-- ARGV[2]  settlement keys, 16 bytes each          ARGV[3]  their months, 6 digits each
-- ARGV[4]  record sizes, u32 each                  ARGV[5]  the records
-- ARGV[6]  state keys, 16 bytes each               ARGV[7]  versions as read, 8 bytes each
-- ARGV[8]  new state sizes, u32 each               ARGV[9]  the new states
-- ARGV[10] number of totals, then of each: month, field, amount
-- then     number of counties, then of each: county, number of values, the values of its stream entry
--
-- Returns {1, position of the last record}, or {0, indices of known keys, indices of moved states} (from 0), or {2}
-- while a rebuild is under way. Every check that can fail is made before the first write.
local prefix, keys, months = ARGV[1], ARGV[2], ARGV[3]
local state_keys, versions = ARGV[6], ARGV[7]
local record_count, state_count = #keys / 16, #state_keys / 16
local call, sub, byte, format = redis.call, string.sub, string.byte, string.format
local index_prefix, state_prefix = prefix .. 'index:', prefix .. 'state:'

if call('EXISTS', prefix .. 'rebuilding') == 1 then return {2} end

-- Phase 1: is everything as the caller believes?
local known, moved = {}, {}
local buckets, names = {}, {}
for i = 1, record_count do
  local first, second = byte(keys, 16 * i - 15, 16 * i - 14)
  buckets[i] = index_prefix .. format('%02x%x', first, (second - second % 16) / 16)
  names[i] = sub(keys, 16 * i - 15, 16 * i)
  if call('HEXISTS', buckets[i], names[i]) == 1 then known[#known + 1] = i - 1 end
end
local unborn = string.rep('\0', 8)
for i = 1, state_count do
  local found = call('GETRANGE', state_prefix .. sub(state_keys, 16 * i - 15, 16 * i), 0, 7)
  if found == '' then found = unborn end
  if found ~= sub(versions, 8 * i - 7, 8 * i) then moved[#moved + 1] = i - 1 end
end
if #known > 0 or #moved > 0 then return {0, known, moved} end

local position = tonumber(call('GET', KEYS[1]) or '0')
if not position or call('SCARD', prefix .. 'months') < 0 or call('SCARD', prefix .. 'counties') < 0 then
  return redis.error_reply('LEDGER the version is not a number')
end
local function behind(stream)
  if call('EXISTS', stream) == 0 then return false end
  local info = call('XINFO', 'STREAM', stream)
  for i = 1, #info, 2 do
    if info[i] == 'last-generated-id' then return tonumber(string.match(info[i + 1], '^%d+')) > position end
  end
  return true
end
local seen_months = {}
for i = 1, record_count do
  local month = sub(months, 6 * i - 5, 6 * i)
  if not seen_months[month] then
    seen_months[month] = true
    if behind(prefix .. 'journal:' .. month) then
      return redis.error_reply('LEDGER the version is behind the journal of ' .. month)
    end
  end
end
local total_count = tonumber(ARGV[10])
local county_at = 11 + 3 * total_count
local at = county_at + 1
for _ = 1, tonumber(ARGV[county_at]) do
  if behind(prefix .. 'liability:' .. ARGV[at]) then
    return redis.error_reply('LEDGER the version is behind the stream of ' .. ARGV[at])
  end
  at = at + 2 + tonumber(ARGV[at + 1])
end

local before = {}
for i = 1, total_count do before[i] = call('HGET', prefix .. 'totals:' .. ARGV[8 + 3 * i], ARGV[9 + 3 * i]) end

-- Phase 2, first the totals: an amount that overflows is the one write that can still fail, and it is taken back.
for i = 1, total_count do
  local hash, field = prefix .. 'totals:' .. ARGV[8 + 3 * i], ARGV[9 + 3 * i]
  local reply = redis.pcall('HINCRBY', hash, field, ARGV[10 + 3 * i])
  if type(reply) == 'table' and reply.err then
    for j = i - 1, 1, -1 do
      hash, field = prefix .. 'totals:' .. ARGV[8 + 3 * j], ARGV[9 + 3 * j]
      if before[j] then call('HSET', hash, field, before[j]) else call('HDEL', hash, field) end
    end
    return reply
  end
end
local sizes, records, start = ARGV[4], ARGV[5], 1
for i = 1, record_count do
  local size = struct.unpack('<I4', sizes, 4 * i - 3)
  local month, id = sub(months, 6 * i - 5, 6 * i), format('%.0f', position + i)
  call('XADD', prefix .. 'journal:' .. month, id .. '-0', 'r', sub(records, start, start + size - 1))
  call('HSET', buckets[i], names[i], month .. '-' .. id)
  start = start + size
end
local states
sizes, states, start = ARGV[8], ARGV[9], 1
for i = 1, state_count do
  local size = struct.unpack('<I4', sizes, 4 * i - 3)
  call('SET', state_prefix .. sub(state_keys, 16 * i - 15, 16 * i), sub(states, start, start + size - 1))
  start = start + size
end
local last = format('%.0f', position + record_count)
call('SET', KEYS[1], last)
for month in pairs(seen_months) do call('SADD', prefix .. 'months', month) end
at = county_at + 1
for _ = 1, tonumber(ARGV[county_at]) do
  local count = tonumber(ARGV[at + 1])
  call('SADD', prefix .. 'counties', ARGV[at])
  call('XADD', prefix .. 'liability:' .. ARGV[at], 'MAXLEN', '~', '1000000', last .. '-0',
    unpack(ARGV, at + 2, at + 1 + count))
  at = at + 2 + count
end
return {1, position + record_count}
