-- Writes repaired values while settlements go on. A value is replaced only if it is still what was compared with the
-- journal; totals are moved by a difference, so that what is added meanwhile stays. Refuses when the rebuild lost its turn.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    ARGV[2]  token of the rebuild    ARGV[3]  number of this call: a repeat changes nothing
-- ARGV[4]  'hold' or 'beside': whether commits wait    ARGV[5]  seconds that the token lives on
-- ARGV[6]  'index', then key, place, ...
--          'surplus', then bucket, key, place that was read, ...
--          'statements', then of each its name, size and SHA-1 of what was read of it, what must stand in its place, ...
--          'states', then key, value that was read, right value (each empty: none), ...
--          'totals', then month, field, value that was read (empty: none), right value, the difference, ...
--          'sets', then 'months' or 'counties', number, that many that must be in it, 'months' ...
--          'version' or 'keep', nothing
--          'finish', nothing
local prefix, kind, call, pcall = ARGV[1], ARGV[6], redis.call, redis.pcall
local owner, number = string.match(call('GET', prefix .. 'rebuilding') or '', '^(%S+) (%d+) ')
if owner ~= ARGV[2] then return 0 end
call('SET', prefix .. 'rebuilding', owner .. ' ' .. ARGV[3] .. ' ' .. ARGV[4], 'EX', ARGV[5])
if tonumber(number) >= tonumber(ARGV[3]) then return 1 end

local function text_of(key) -- the string at a key; a key of another kind is damage and goes
  local value = pcall('GET', key)
  if type(value) == 'string' then return value end
  call('DEL', key)
  return ''
end

local function put(key, value)
  if value == '' then call('DEL', key) else call('SET', key, value) end
end

if kind == 'index' then
  for i = 7, #ARGV, 2 do call('HSET', prefix .. 'index:' .. bucket_of(ARGV[i], 1), ARGV[i], ARGV[i + 1]) end
elseif kind == 'surplus' then
  for i = 7, #ARGV, 3 do
    if call('HGET', ARGV[i], ARGV[i + 1]) == ARGV[i + 2] then call('HDEL', ARGV[i], ARGV[i + 1]) end
  end
elseif kind == 'statements' then
  for i = 7, #ARGV, 4 do
    local key, size = prefix .. 'statement:' .. ARGV[i], tonumber(ARGV[i + 1])
    local value = text_of(key)
    if redis.sha1hex(string.sub(value, 1, size)) == ARGV[i + 2] then
      put(key, ARGV[i + 3] .. string.sub(value, size + 1)) -- what was appended since stays
    end
  end
elseif kind == 'states' then
  for i = 7, #ARGV, 3 do
    local key = prefix .. 'state:' .. ARGV[i]
    if text_of(key) == ARGV[i + 1] then put(key, ARGV[i + 2]) end
  end
elseif kind == 'totals' then
  for i = 7, #ARGV, 5 do
    local hash, field = prefix .. 'totals:' .. ARGV[i], ARGV[i + 1]
    local read = call('HGET', hash, field) or ''
    local sum = pcall('HINCRBY', hash, field, ARGV[i + 4])
    if type(sum) ~= 'number' and read == ARGV[i + 2] then call('HSET', hash, field, ARGV[i + 3]) end -- it was no number
    if call('HGET', hash, field) == '0' then call('HDEL', hash, field) end
  end
elseif kind == 'sets' then
  local stream = {months = 'journal:', counties = 'liability:'}
  local at = 7
  while at < #ARGV do
    local set, count, wanted = prefix .. ARGV[at], tonumber(ARGV[at + 1]), {}
    if call('TYPE', set).ok ~= 'set' then call('DEL', set) end
    for i = at + 2, at + 1 + count do
      wanted[ARGV[i]] = true
      call('SADD', set, ARGV[i])
    end
    for _, member in ipairs(call('SMEMBERS', set)) do -- a commit may just have added one, with its stream
      if not wanted[member] and call('EXISTS', prefix .. stream[ARGV[at]] .. member) == 0 then
        call('SREM', set, member)
      end
    end
    at = at + 2 + count
  end
elseif kind == 'version' then
  call('SET', KEYS[1], ARGV[7])
elseif kind == 'finish' then
  call('DEL', prefix .. 'rebuilding')
end
return 1
