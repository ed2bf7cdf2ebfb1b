-- Returns the commands of the ledger's scripts that the store does not have, or that its user may not run. A script that
-- is stopped at such a command has written what stands before it, so this is found out beforehand. Nothing is written but
-- one member of a set, the first time: commands for other types stop at the type, after they were allowed.
-- KEYS: a key of this probe alone.
local key, refused = KEYS[1], {}

local function try(name, ...)
  local reply = redis.pcall(name, ...)
  if type(reply) == 'table' and reply.err then
    local text = string.lower(reply.err)
    if string.find(text, 'noperm', 1, true) or string.find(text, 'permission', 1, true)
        or string.find(text, "can't run", 1, true) or string.find(text, 'unknown', 1, true) then
      refused[#refused + 1] = name
    end
  end
end

try('SADD', key, '1')
try('SMEMBERS', key)
try('SMISMEMBER', key, '1')
try('SREM', key, '0')
try('TYPE', key)
try('EXISTS', key)
try('DEL', key .. ':none')
try('GET', key)
try('MGET', key)
try('APPEND', key, '1')
try('SET', key .. ':none', '1', 'XX')
try('MSET', key, '1', key)
try('INCR', key)
try('HDEL', key, '1')
try('HGET', key, '1')
try('HGETALL', key)
try('HINCRBY', key, '1', 1)
try('HLEN', key)
try('HMGET', key, '1')
try('HSET', key, '1', '1')
try('XADD', key, '*', '1', '1')
try('XDEL', key, '1-1')
try('XINFO', 'STREAM', key)
try('XRANGE', key, '-', '+')
return refused
