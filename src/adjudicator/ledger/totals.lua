-- Totals of a pool as of one moment.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    ARGV[2]  month, six digits, or empty for all
-- ARGV[3]  nothing, or 'journal' to ask where the journal ends; then months to look at besides those of the set
--
-- Returns {version, end of the journal or '', month, its hash as field, value, ...; month, ...}.
local months = ARGV[2] == '' and redis.call('SMEMBERS', ARGV[1] .. 'months') or {ARGV[2]}
local reply = {redis.call('GET', KEYS[1]) or '0', ''}
if ARGV[3] == 'journal' then
  local last, listed = 0, {}
  for _, month in ipairs(months) do listed[month] = true end
  for i = 4, #ARGV do
    if not listed[ARGV[i]] then months[#months + 1] = ARGV[i] end
  end
  for _, month in ipairs(months) do
    local stream = ARGV[1] .. 'journal:' .. month
    local info = redis.call('EXISTS', stream) == 1 and redis.call('XINFO', 'STREAM', stream) or {}
    for i = 1, #info, 2 do
      if info[i] == 'last-generated-id' then last = math.max(last, tonumber(string.match(info[i + 1], '^%d+'))) end
    end
  end
  reply[2] = string.format('%.0f', last)
end
table.sort(months)
for _, month in ipairs(months) do
  reply[#reply + 1] = month
  reply[#reply + 1] = redis.call('HGETALL', ARGV[1] .. 'totals:' .. month)
end
return reply
