-- One commit of a pool: all of it or nothing. Amounts are decimal strings from first to last; this language's numbers
-- are doubles and only ever hold positions and counts here. What costs time is the number of calls, so they are few.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:
-- ARGV[2]  settlement keys, 16 bytes each          ARGV[3]  their months, 6 digits each
-- ARGV[4]  versions as read, 8 bytes each: of the states that are written, then of those that must only stay as they are
-- ARGV[5]  number of months with totals, then of each: month, number of values, then field, amount, ...
-- then     number of counties, then of each: county, number of values, the values of its stream entry
-- then     the records, one value each; then of each state that is written: its key, its new value; then the keys of
--          the others
--
-- Returns {1, position of the last record}, or {0, indices of known keys, indices of moved states} (from 0), or {2}
-- while a rebuild is under way. Every check that can fail is made before the first write.
local MOST = 2000 -- values that one call takes; the language's stack holds some thousands

local prefix, keys, months, versions = ARGV[1], ARGV[2], ARGV[3], ARGV[4]
local record_count, version_count = #keys / 16, #versions / 8
local call, sub, format = redis.call, string.sub, string.format

local function in_parts(command, key, values)
  for first = 1, #values, MOST do
    call(command, key, unpack(values, first, math.min(first + MOST - 1, #values)))
  end
end

-- Where the parts of the arguments are.
local totals_at, at = 6, 6
for _ = 1, tonumber(ARGV[5]) do at = at + 2 + tonumber(ARGV[at + 1]) end
local counties_at = at + 1
local county_count = tonumber(ARGV[at])
at = counties_at
for _ = 1, county_count do at = at + 2 + tonumber(ARGV[at + 1]) end
local records_at, states_at = at - 1, at - 1 + record_count -- record i is at records_at + i
local state_count = #ARGV - states_at - version_count -- two values of each, and one of each that is not written

-- Phase 1: is everything as the caller believes?
local known, moved, buckets = {}, {}, by_bucket(keys)
for name, bucket in pairs(buckets) do
  for first = 1, #bucket.keys, MOST do
    local last = math.min(first + MOST - 1, #bucket.keys)
    local places = call('HMGET', prefix .. 'index:' .. name, unpack(bucket.keys, first, last))
    for i = 1, #places do
      if places[i] then known[#known + 1] = bucket.places[first + i - 1] - 1 end
    end
  end
end
local head = call('MGET', KEYS[1], prefix .. 'rebuilding')
if head[2] then return {2} end
local unborn = string.rep('\0', 8)
for first = 1, version_count, MOST do
  local names = {}
  for i = first, math.min(first + MOST - 1, version_count) do
    names[#names + 1] = ARGV[states_at + (i <= state_count and 2 * i - 1 or state_count + i)]
  end
  local found = call('MGET', unpack(names))
  for i = 1, #found do
    local place = 8 * (first + i - 1)
    if (found[i] and sub(found[i], 1, 8) or unborn) ~= sub(versions, place - 7, place) then
      moved[#moved + 1] = first + i - 2
    end
  end
end
if #known > 0 or #moved > 0 then
  table.sort(known)
  return {0, known, moved}
end

local position = tonumber(head[1] or '0')
if not position then return redis.error_reply('LEDGER the version is not a number') end
local beyond
local function look_beyond(stream) -- every stream ends at or before the version; a key of another kind fails here as well
  if #call('XRANGE', prefix .. stream, '(' .. format('%.0f', position) .. '-0', '+', 'COUNT', 1) > 0 then
    beyond = stream
  end
end
local seen, month_list, county_list = {}, {}, {}
for i = 1, record_count do
  local month = sub(months, 6 * i - 5, 6 * i)
  if not seen[month] then
    seen[month] = true
    month_list[#month_list + 1] = month
    look_beyond('journal:' .. month)
  end
end
at = counties_at
for i = 1, county_count do
  county_list[i] = ARGV[at]
  look_beyond('liability:' .. ARGV[at])
  at = at + 2 + tonumber(ARGV[at + 1])
end
if beyond then return redis.error_reply('LEDGER the version is behind the stream ' .. beyond) end
local month_known = call('SMISMEMBER', prefix .. 'months', unpack(month_list))
local county_known = county_count > 0 and call('SMISMEMBER', prefix .. 'counties', unpack(county_list)) or {}
local totals, before = {}, {}
at = totals_at
for i = 1, tonumber(ARGV[5]) do
  local names, count = {}, tonumber(ARGV[at + 1])
  for j = at + 2, at + 1 + count, 2 do names[#names + 1] = ARGV[j] end
  totals[i] = {key = prefix .. 'totals:' .. ARGV[at], names = names, at = at + 2}
  before[i] = call('HMGET', totals[i].key, unpack(names))
  at = at + 2 + count
end

-- Phase 2, first what the store itself may refuse, and then take back: an amount that overflows, an entry out of order.
local added = {}
local function take_back(reply)
  for i = 1, #totals do
    for j, name in ipairs(totals[i].names) do
      if before[i][j] then call('HSET', totals[i].key, name, before[i][j]) else call('HDEL', totals[i].key, name) end
    end
  end
  for _, entry in ipairs(added) do call('XDEL', entry[1], entry[2]) end
  return reply
end
for i = 1, #totals do
  for j, name in ipairs(totals[i].names) do
    local reply = redis.pcall('HINCRBY', totals[i].key, name, ARGV[totals[i].at + 2 * j - 1])
    if type(reply) == 'table' then
      if i == 1 and j == 1 then return reply end -- refused before the first write, such as a store that is full
      return take_back(reply)
    end
  end
end
local places = {}
for i = 1, record_count do
  local month, id = sub(months, 6 * i - 5, 6 * i), format('%.0f', position + i)
  local journal = prefix .. 'journal:' .. month
  local reply = redis.pcall('XADD', journal, id .. '-0', 'r', ARGV[records_at + i])
  if type(reply) == 'table' and reply.err then return take_back(reply) end
  added[i] = {journal, id .. '-0'}
  places[i] = month .. '-' .. id
end

-- From here on nothing can fail.
for name, bucket in pairs(buckets) do
  local pairs_of = {}
  for i, field in ipairs(bucket.keys) do
    pairs_of[2 * i - 1], pairs_of[2 * i] = field, places[bucket.places[i]]
  end
  in_parts('HSET', prefix .. 'index:' .. name, pairs_of)
end
for first = 1, 2 * state_count, MOST do
  call('MSET', unpack(ARGV, states_at + first, states_at + math.min(first + MOST - 1, 2 * state_count)))
end
local last = format('%.0f', position + record_count)
call('SET', KEYS[1], last)
for i, month in ipairs(month_list) do
  if month_known[i] == 0 then call('SADD', prefix .. 'months', month) end
end
at = counties_at
for i = 1, county_count do
  local count = tonumber(ARGV[at + 1])
  if county_known[i] == 0 then call('SADD', prefix .. 'counties', ARGV[at]) end
  call('XADD', prefix .. 'liability:' .. ARGV[at], 'MAXLEN', '~', '1000000', last .. '-0',
    unpack(ARGV, at + 2, at + 1 + count))
  at = at + 2 + count
end
return {1, position + record_count}
