-- One commit of a pool: all of it or nothing. This language's numbers are doubles, so an amount beyond 2^53 is refused
-- before anything is written. What costs time is the number of calls and arguments, so they are few.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:
-- ARGV[2]  settlement keys, 16 bytes each, in the order of the records
-- ARGV[3]  of each journal entry its month, 6 digits, and how many records it has, 4 digits
-- ARGV[4]  keys of states, 16 bytes each: of those that are written, then of those that must only stay as they are
-- ARGV[5]  their versions as read, 8 bytes each
-- ARGV[6]  sizes of the new states, 4 bytes each, the lowest first      ARGV[7]  the new states, one after the other
-- ARGV[8]  what is added to totals: lines of month, county, scheme|fund, amount
-- ARGV[9]  what institutions settled: runs, each size of name u16, size of bytes u32, name, bytes (statements.py)
-- then     the blocks of records, one a journal entry
--
-- Returns {1, position of the last record}, or {0, indices of known keys, indices of moved states} (from 0), or {2}
-- while a rebuild holds commits back. Every check that can fail is made before the first write.
local MOST = 2000 -- values that one call takes; the language's stack holds some thousands
local LARGEST = 9007199254740991

local prefix, keys, plan, state_keys, versions, sizes = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[6]
local state_count, entry_count = #sizes / 4, #plan / 10
local call, sub, byte, format = redis.call, string.sub, string.byte, string.format

local function in_parts(command, key, values)
  for first = 1, #values, MOST do
    call(command, key, unpack(values, first, math.min(first + MOST - 1, #values)))
  end
end

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
if head[2] and sub(head[2], -4) == 'hold' then return {2} end
local unborn, state_prefix, state_names = string.rep('\0', 8), prefix .. 'state:', {}
for i = 1, #state_keys / 16 do state_names[i] = state_prefix .. sub(state_keys, 16 * i - 15, 16 * i) end
for first = 1, #state_names, MOST do
  local found = call('MGET', unpack(state_names, first, math.min(first + MOST - 1, #state_names)))
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
local seen, month_list = {}, {}
for i = 1, entry_count do
  local month = sub(plan, 10 * i - 9, 10 * i - 4)
  if not seen[month] then
    seen[month] = true
    month_list[#month_list + 1] = month
    look_beyond('journal:' .. month)
  end
end
local totals, changes, county_list = {}, {}, {}
for month, county, name, amount in string.gmatch(ARGV[8], '(%S+) (%S+) (%S+) (%S+)\n') do
  local total = totals[month]
  if not total then
    total = {names = {}, added = {}}
    totals[month] = total
  end
  total.names[#total.names + 1], total.added[#total.added + 1] = county .. '|' .. name, amount
  local values = changes[county]
  if not values then
    values = {}
    changes[county] = values
    county_list[#county_list + 1] = county
    look_beyond('liability:' .. county)
  end
  values[#values + 1], values[#values + 2] = month .. '|' .. name, amount
end
if beyond then return redis.error_reply('LEDGER the version is behind the stream ' .. beyond) end
local month_known = call('SMISMEMBER', prefix .. 'months', unpack(month_list))
local county_known = #county_list > 0 and call('SMISMEMBER', prefix .. 'counties', unpack(county_list)) or {}
for month, total in pairs(totals) do
  local values = {}
  for first = 1, #total.names, MOST do
    local last = math.min(first + MOST - 1, #total.names)
    local before = call('HMGET', prefix .. 'totals:' .. month, unpack(total.names, first, last))
    for i = 1, #before do
      local at, old = first + i - 1, tonumber(before[i] or '0')
      if not old then return redis.error_reply('LEDGER a total is not a number') end
      local sum = old + tonumber(total.added[at])
      if not (math.abs(old) <= LARGEST and math.abs(sum) <= LARGEST) then
        return redis.error_reply('LEDGER a total would overflow')
      end
      values[2 * at - 1], values[2 * at] = total.names[at], format('%.0f', sum)
    end
  end
  total.values = values
end

-- Phase 2, first what the store itself may refuse, and then take back: a full store, an entry out of order.
local places, written = {}, {}
local last = position
for i = 1, entry_count do
  local month, count = sub(plan, 10 * i - 9, 10 * i - 4), tonumber(sub(plan, 10 * i - 3, 10 * i))
  local journal = prefix .. 'journal:' .. month
  for record = last + 1, last + count do places[record - position] = month .. '-' .. format('%.0f', record) end
  last = last + count
  local id = format('%.0f', last) .. '-0'
  local reply = redis.pcall('XADD', journal, id, 'r', ARGV[9 + i])
  if type(reply) == 'table' and reply.err then
    for _, entry in ipairs(written) do call('XDEL', entry[1], entry[2]) end
    return reply
  end
  written[i] = {journal, id}
end

-- From here on nothing can fail.
for month, total in pairs(totals) do in_parts('HSET', prefix .. 'totals:' .. month, total.values) end
for name, bucket in pairs(buckets) do
  local pairs_of = {}
  for i, field in ipairs(bucket.keys) do
    pairs_of[2 * i - 1], pairs_of[2 * i] = field, places[bucket.places[i]]
  end
  in_parts('HSET', prefix .. 'index:' .. name, pairs_of)
end
local runs, before, rest, run = ARGV[9], '', position, 1
while rest > 127 do -- the position before the first record, as the entries of a run count from it
  before = before .. string.char(128 + rest % 128)
  rest = math.floor(rest / 128)
end
before = before .. string.char(rest)
while run <= #runs do
  local a, b, c, d, e, f = byte(runs, run, run + 5)
  local name_end = run + 5 + a + 256 * b
  local stop = name_end + c + 256 * (d + 256 * (e + 256 * f))
  -- A key of another kind is damage that verify finds; the settlement stands without it.
  redis.pcall('APPEND', prefix .. 'statement:' .. sub(runs, run + 6, name_end), before .. sub(runs, name_end + 1, stop))
  run = stop + 1
end
local at, new_states, states = 1, ARGV[7], {}
for i = 1, state_count do
  local a, b, c, d = byte(sizes, 4 * i - 3, 4 * i)
  local size = a + 256 * (b + 256 * (c + 256 * d))
  states[2 * i - 1], states[2 * i] = state_names[i], sub(new_states, at, at + size - 1)
  at = at + size
end
for first = 1, #states, MOST do call('MSET', unpack(states, first, math.min(first + MOST - 1, #states))) end
local final = format('%.0f', last)
call('SET', KEYS[1], final)
for i, month in ipairs(month_list) do
  if month_known[i] == 0 then call('SADD', prefix .. 'months', month) end
end
for i, county in ipairs(county_list) do
  if county_known[i] == 0 then call('SADD', prefix .. 'counties', county) end
  call('XADD', prefix .. 'liability:' .. county, 'MAXLEN', '~', '1000000', final .. '-0', unpack(changes[county]))
end
return {1, last}
