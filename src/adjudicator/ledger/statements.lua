-- Values of the index of statements and the position of the journal that they stand for, as of one moment; for verify.
--
-- KEYS[1]  adj:{pool}:version
-- ARGV[1]  prefix adj:{pool}:    then names YYYYMM:INSTITUTION
local values = {}
for i = 2, #ARGV do
  local value = redis.pcall('GET', ARGV[1] .. 'statement:' .. ARGV[i])
  values[i - 1] = type(value) == 'string' and value or '' -- a key of another kind holds nothing of a statement
end
return {redis.call('GET', KEYS[1]) or '0', values}
